package io.sanavideo.check;

import io.sanavideo.Kernels;
import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.Progress;
import io.sanavideo.ProgressListener;
import io.sanavideo.VideoRequest;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.Comparison;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.model.GoldenTensors;
import io.sanavideo.pipeline.CallQueue;
import io.sanavideo.pipeline.Denoised;
import io.sanavideo.pipeline.Engine;
import io.sanavideo.pipeline.ModelFolder;
import io.sanavideo.pipeline.Settings;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.FlowSampler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A whole model: from the prompt in the vectors' metadata to frames, by the engine that serves
 * every generation. Text embeddings are compared on the vectors' own token ids, then everything
 * runs from text and {@code noise} on: schedule, latents after the last step (before it with
 * intermediate tensors), and frames as they are handed on, in 8 bits.
 */
final class PipelineCheck implements GoldenCheck {
    // Wider than a component's in f32: each step adds to the error, and references that load a
    // model in f32 hold its tables of rotations so, which others and this project hold in bf16.
    private static final double F32_BOUND = 1e-3;
    private static final double BF16_BOUND = 2e-2;

    /** Vectors of image to video, beside those of text to video. */
    private static final String FROM_IMAGE = "golden-i2v.safetensors";

    /** Vectors of a video made chunk by chunk. */
    private static final String CHUNKED = "golden-causal.safetensors";

    @Override
    public CheckReport run(Path folder, GoldenTensors golden, CheckOptions options) {
        ModelFolder model = ModelFolder.open(folder);
        List<Finding> findings = new ArrayList<>();
        check(
                model,
                new PipelineVectors(folder.resolve(GoldenTensors.FILE), golden, ""),
                options,
                findings);
        Path fromImage = folder.resolve(FROM_IMAGE);
        if (Files.exists(fromImage)) {
            try (GoldenTensors vectors = GoldenTensors.openFile(fromImage)) {
                check(model, new PipelineVectors(fromImage, vectors, "i2v "), options, findings);
            }
        }
        Path chunked = folder.resolve(CHUNKED);
        if (Files.exists(chunked)) {
            try (GoldenTensors vectors = GoldenTensors.openFile(chunked)) {
                findings.addAll(
                        new ChunkedPipelineCheck(
                                        model, chunked, vectors, "causal ", options, bound(options))
                                .run());
            }
        }
        return new CheckReport("whole model", findings);
    }

    private static void check(
            ModelFolder model,
            PipelineVectors vectors,
            CheckOptions options,
            List<Finding> findings) {
        try {
            checkEmbeddings(model, vectors, options, findings);
            VideoRequest request = vectors.request();
            Precision precision = options.compute() == DType.F32 ? Precision.F32 : Precision.BF16;
            try (Engine engine =
                            Engine.open(
                                    model,
                                    options.device(),
                                    precision,
                                    Kernels.OWN,
                                    request,
                                    ProgressListener.NONE);
                    CallQueue calls = new CallQueue("check", engine::cancel, engine::resume)) {
                Settings settings = engine.settings(request);
                checkSchedule(settings, vectors, findings);
                calls.run(
                        () -> {
                            if (settings.image() != null) {
                                Latents image = engine.encodeImage(settings, ProgressListener.NONE);
                                findings.add(
                                        Finding.below(bound(options), vectors.compareImage(image)));
                            }
                            checkClip(engine, settings, calls, vectors, options, findings);
                            return null;
                        });
            }
        } catch (IllegalArgumentException e) {
            // All requests come from the file.
            throw new ModelFormatException(
                    "%s: does not fit the model: %s".formatted(vectors.file(), e.getMessage()), e);
        }
    }

    private static double bound(CheckOptions options) {
        return options.compute() == DType.F32 ? F32_BOUND : BF16_BOUND;
    }

    private static void checkEmbeddings(
            ModelFolder model,
            PipelineVectors vectors,
            CheckOptions options,
            List<Finding> findings) {
        GoldenTensors golden = vectors.golden();
        try (Context context = options.context();
                Gemma2Encoder encoder =
                        Gemma2Encoder.load(context, model.textEncoder(), options.compute())) {
            for (String branch : List.of("", "negative_")) {
                String name = branch + "prompt_embeds";
                if (!golden.has(name) || !golden.has(branch + "input_ids")) {
                    continue;
                }
                float[] mask = golden.sample(branch + "attention_mask", 0);
                float[] ids = GoldenTensors.keep(golden.sample(branch + "input_ids", 0), mask);
                float[] rows = GoldenTensors.keep(golden.sample(name, 0), mask);
                try (Tensor states = encoder.encode(PipelineVectors.toInts(ids))) {
                    Comparison error = Comparison.of(vectors.label(name), states.toFloats(), rows);
                    findings.add(Finding.below(bound(options), error));
                }
            }
        }
    }

    private static void checkSchedule(
            Settings settings, PipelineVectors vectors, List<Finding> findings) {
        try (FlowSampler sampler = settings.schedule().sampler(settings.steps())) {
            findings.add(schedule("timesteps", sampler.timesteps(), vectors));
            findings.add(schedule("sigmas", sampler.sigmas(), vectors));
        }
    }

    private static Finding schedule(String name, double[] values, PipelineVectors vectors) {
        return Finding.below(
                SchedulerCheck.BOUND,
                Comparison.of(
                        vectors.label(name),
                        SchedulerCheck.toFloats(values),
                        vectors.golden().values(name)));
    }

    private static void checkClip(
            Engine engine,
            Settings settings,
            CallQueue calls,
            PipelineVectors vectors,
            CheckOptions options,
            List<Finding> findings) {
        int last = settings.steps() - 1;
        ProgressListener steps =
                progress -> {
                    int step = Math.toIntExact(progress.step()) - 1;
                    if (progress.phase() == Progress.Phase.DENOISE && step >= 0 && step < last) {
                        findings.add(Finding.notJudged(latents(vectors, step, progress.latents())));
                    }
                };
        Denoised denoised =
                engine.denoise(
                        settings, calls, options.intermediate() ? steps : ProgressListener.NONE);
        Comparison end = latents(vectors, last, denoised.latents());
        findings.add(Finding.below(bound(options), end));
        DecodedClip clip = new DecodedClip();
        engine.decode(denoised, clip, calls, ProgressListener.NONE);
        findings.add(clip.compare(vectors.label("frames"), vectors.frames()));
    }

    private static Comparison latents(PipelineVectors vectors, int step, Latents latents) {
        return Comparison.of(
                vectors.label("latents[%d]".formatted(step)),
                ChannelsLast.toChannelsFirst(latents.values(), latents.channels()),
                vectors.latents(step));
    }
}
