package io.sanavideo.check;

import io.sanavideo.Kernels;
import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.Progress;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.ChunkMemory;
import io.sanavideo.model.Comparison;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.model.GoldenTensors;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.StateComparison;
import io.sanavideo.pipeline.CallQueue;
import io.sanavideo.pipeline.Chunk;
import io.sanavideo.pipeline.ChunkDenoiser;
import io.sanavideo.pipeline.ChunkSampling;
import io.sanavideo.pipeline.Embeddings;
import io.sanavideo.pipeline.Engine;
import io.sanavideo.pipeline.GenerationDefaults;
import io.sanavideo.pipeline.ModelFolder;
import io.sanavideo.pipeline.PromptEncoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.SchedulerConfig;
import io.sanavideo.text.Instruction;
import io.sanavideo.text.PromptTokens;
import io.sanavideo.text.Tokenizer;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A whole model that makes a video chunk by chunk, each under a prompt of its own: settings in the
 * file's metadata; of chunk i {@code input_ids.i} with their mask, {@code noise.i} [1, channels,
 * frames, height, width] and {@code latents.i} [steps, 1, ...] after each step; {@code
 * state.BRANCH.L.*}, what a chunk after the last would read in layer L; {@code frames} of all
 * chunks as one clip.
 */
final class ChunkedPipelineCheck {
    private final ModelFolder model;
    private final Path file;
    private final GoldenTensors golden;
    private final String prefix;
    private final CheckOptions options;
    private final double bound;
    private final List<Finding> findings = new ArrayList<>();

    /**
     * @param prefix of the names of what is found
     * @param bound of latents and states
     */
    ChunkedPipelineCheck(
            ModelFolder model,
            Path file,
            GoldenTensors golden,
            String prefix,
            CheckOptions options,
            double bound) {
        this.model = model;
        this.file = file;
        this.golden = golden;
        this.prefix = prefix;
        this.options = options;
        this.bound = bound;
    }

    List<Finding> run() {
        try {
            checkFrames(denoise());
            return findings;
        } catch (IllegalArgumentException e) {
            // All requests come from the file.
            throw new ModelFormatException(
                    "%s: does not fit the model: %s".formatted(file, e.getMessage()), e);
        }
    }

    private int chunks() {
        return (int) IntStream.iterate(0, i -> golden.has("noise." + i), i -> i + 1).count();
    }

    private String setting(String key) {
        String value = golden.metadata().get(key);
        if (value == null) {
            throw new IllegalArgumentException(
                    "the metadata has no '%s', but %s".formatted(key, golden.metadata().keySet()));
        }
        return value;
    }

    /** All chunks' latents, one after the other. */
    private List<Latents> denoise() {
        try (Context context = options.context();
                Scope scope = new Scope(context);
                SanaTransformer transformer =
                        SanaTransformer.load(context, model.transformer(), options.compute())) {
            int[] shape = golden.shape("noise.0", 5);
            List<Chunk> plan = plan(texts(scope, transformer));
            List<Latents> made = new ArrayList<>();
            try (ChunkDenoiser denoiser =
                    new ChunkDenoiser(
                            transformer,
                            shape[3],
                            shape[4],
                            Integer.parseInt(setting("num_cached_chunks")),
                            sampling())) {
                for (int i = 0; i < plan.size(); i++) {
                    int chunk = i;
                    ProgressListener steps =
                            options.intermediate()
                                    ? progress -> show(chunk, progress)
                                    : ProgressListener.NONE;
                    denoiser.denoise(plan.get(i), made::add, () -> {}, steps);
                    int last = golden.shape("latents." + i, 6)[0] - 1;
                    findings.add(Finding.below(bound, compare(i, last, made.get(i))));
                }
                checkState("prompt", denoiser.prompt());
                checkState("negative", denoiser.negative());
            }
            return made;
        }
    }

    private ChunkSampling sampling() {
        SchedulerConfig schedule =
                SchedulerConfig.of(Json.read(model.schedulerConfig()))
                        .withFlowShift(Double.parseDouble(setting("flow_shift")));
        return ChunkSampling.of(
                schedule,
                Integer.parseInt(setting("steps")),
                Double.parseDouble(setting("guidance_scale")));
    }

    /** Each chunk's prompt by its token ids, and the negative prompt, which is text. */
    private List<Embeddings> texts(Scope scope, SanaTransformer transformer) {
        Tokenizer tokenizer = Tokenizer.open(model.tokenizer());
        int sampleSize = transformer.config().sampleSize();
        int maxTokens = GenerationDefaults.read(model, sampleSize).maxTokens();
        PromptTokens negative = Instruction.plain(tokenizer, setting("negative_prompt"), maxTokens);
        List<Embeddings> texts = new ArrayList<>();
        try (Gemma2Encoder encoder =
                Gemma2Encoder.load(scope.context(), model.textEncoder(), options.compute())) {
            for (int i = 0; i < chunks(); i++) {
                float[] mask = golden.sample("attention_mask." + i, 0);
                float[] ids = GoldenTensors.keep(golden.sample("input_ids." + i, 0), mask);
                PromptTokens tokens =
                        new PromptTokens(
                                PipelineVectors.toInts(ids),
                                IntStream.range(0, ids.length).toArray());
                texts.add(
                        scope.own(
                                new Embeddings(
                                        encode(encoder, tokens), encode(encoder, negative))));
            }
        }
        return texts;
    }

    private Tensor encode(Gemma2Encoder encoder, PromptTokens tokens) {
        return PromptEncoder.encode(encoder, tokens, options.compute());
    }

    private List<Chunk> plan(List<Embeddings> texts) {
        boolean carries = Boolean.parseBoolean(setting("recache_on_prompt_switch"));
        Chunk.Start start = carries ? Chunk.Start.CARRY : Chunk.Start.CONTINUE;
        List<Chunk> plan = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            int[] shape = golden.shape("noise." + i, 5);
            float[] values = ChannelsLast.of(golden.sample("noise." + i, 0), shape[1]);
            Latents noise = new Latents(shape[2], shape[3], shape[4], shape[1], values);
            plan.add(new Chunk(0, i, 0, shape[2], texts.get(i), start, null, noise));
        }
        return plan;
    }

    private void show(int chunk, Progress progress) {
        int step = Math.toIntExact(progress.step()) - 1;
        if (step >= 0 && step < progress.total() - 1) {
            findings.add(Finding.notJudged(compare(chunk, step, progress.latents())));
        }
    }

    private Comparison compare(int chunk, int step, Latents latents) {
        String name = "latents." + chunk;
        return Comparison.of(
                "%s%s[%d]".formatted(prefix, name, step),
                ChannelsLast.toChannelsFirst(latents.values(), latents.channels()),
                golden.sample(name, step));
    }

    private void checkState(String branch, ChunkMemory memory) {
        String name = "state.%s.".formatted(branch);
        for (Comparison error : StateComparison.of(golden, name, memory.context())) {
            Comparison named =
                    new Comparison(prefix + error.tensor(), error.relativeL2(), error.maxError());
            findings.add(Finding.below(bound, named));
        }
    }

    private void checkFrames(List<Latents> chunks) {
        Precision precision = options.compute() == DType.F32 ? Precision.F32 : Precision.BF16;
        try (Engine engine =
                        Engine.open(
                                model,
                                options.device(),
                                precision,
                                Kernels.OWN,
                                null,
                                ProgressListener.NONE);
                CallQueue calls = new CallQueue("check", engine::cancel, engine::resume)) {
            DecodedClip clip = new DecodedClip();
            calls.run(
                    () -> {
                        engine.decode(joined(chunks), clip, calls);
                        return null;
                    });
            findings.add(clip.compare(prefix + "frames", golden.values("frames")));
        }
    }

    private static Latents joined(List<Latents> chunks) {
        Latents first = chunks.get(0);
        int frames = chunks.stream().mapToInt(Latents::frames).sum();
        int perFrame = first.values().length / first.frames();
        float[] values = new float[frames * perFrame];
        int filled = 0;
        for (Latents chunk : chunks) {
            System.arraycopy(chunk.values(), 0, values, filled, chunk.values().length);
            filled += chunk.values().length;
        }
        return new Latents(frames, first.height(), first.width(), first.channels(), values);
    }
}
