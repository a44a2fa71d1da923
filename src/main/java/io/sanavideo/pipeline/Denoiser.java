package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Latents;
import io.sanavideo.NumericsException;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.TransformerRun;
import io.sanavideo.model.TransformerText;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.FlowSampler;
import io.sanavideo.schedule.TorchRandom;
import java.util.OptionalDouble;

/**
 * Noise to latents: at each step the transformer's velocity, guided away from the negative prompt,
 * moves the latents along the flow.
 */
final class Denoiser {
    private final SanaTransformer transformer;
    private final int temporalFactor;
    private final int spatialFactor;

    Denoiser(SanaTransformer transformer, int temporalFactor, int spatialFactor) {
        this.transformer = transformer;
        this.temporalFactor = temporalFactor;
        this.spatialFactor = spatialFactor;
    }

    /** Whether a second branch, for the negative prompt, runs at each step. */
    boolean isGuided(Settings settings) {
        return settings.guidance() > 1 && !transformer.config().guidanceEmbeds();
    }

    /**
     * @param prompt embeddings of the prompt
     * @param negative embeddings of the negative prompt; null where nothing is guided
     */
    Latents denoise(
            Settings settings,
            Tensor prompt,
            Tensor negative,
            CallQueue calls,
            ProgressListener listener) {
        Latents noise = noise(settings);
        OptionalDouble guidance =
                transformer.config().guidanceEmbeds()
                        ? OptionalDouble.of(
                                settings.guidance() * transformer.config().guidanceScale())
                        : OptionalDouble.empty();
        try (Scope scope = new Scope(transformer.context());
                TransformerRun run =
                        new TransformerRun(
                                transformer,
                                noise.frames(),
                                noise.height(),
                                noise.width(),
                                guidance);
                TransformerText text = new TransformerText(transformer, prompt);
                TransformerText negativeText =
                        negative == null ? null : new TransformerText(transformer, negative);
                FlowSampler sampler = settings.schedule().sampler(settings.steps())) {
            long[] shape = {noise.frames(), noise.height(), noise.width(), noise.channels()};
            Tensor latents = scope.tensor(DType.F32, shape);
            Tensor velocity = scope.tensor(DType.F32, shape);
            Tensor away = negative == null ? null : scope.tensor(DType.F32, shape);
            latents.upload(noise.values());
            Ops ops = transformer.context().ops();
            float scale = (float) settings.guidance();
            float[] guide = {1 - scale, scale};
            Tensor[] branches = {away, velocity};
            double[] timesteps = sampler.timesteps();
            PhaseClock clock =
                    new PhaseClock(
                            listener, Phase.DENOISE, settings.steps(), () -> copy(latents, noise));
            for (int i = 0; i < settings.steps(); i++) {
                calls.throwIfCancelled();
                double[] timestep = {timesteps[i]};
                run.velocity(latents, timestep, text, velocity);
                if (negativeText != null) {
                    run.velocity(latents, timestep, negativeText, away);
                    ops.combine(guide, branches, velocity);
                }
                sampler.step(i, velocity, latents);
                requireFinite(ops, latents, i, settings.steps());
                clock.done(i + 1);
            }
            return copy(latents, noise);
        }
    }

    private static void requireFinite(Ops ops, Tensor latents, int step, int steps) {
        try {
            ops.requireFinite(latents);
        } catch (NumericsException e) {
            throw new NumericsException(
                    "the latents hold NaN or infinity after denoising step %d of %d; try --dtype f32 or another flow shift"
                            .formatted(step + 1, steps),
                    e);
        }
    }

    private static Latents copy(Tensor latents, Latents like) {
        return new Latents(
                like.frames(), like.height(), like.width(), like.channels(), latents.toFloats());
    }

    private Latents noise(Settings settings) {
        ClipFormat format = settings.format();
        int frames = (format.frames() - 1) / temporalFactor + 1;
        int height = format.height() / spatialFactor;
        int width = format.width() / spatialFactor;
        int channels = transformer.config().inChannels();
        Latents given = settings.initialLatents();
        if (given == null) {
            // PyTorch draws in its own order, channels first.
            float[] drawn =
                    TorchRandom.randn(settings.seed(), (long) channels * frames * height * width);
            return new Latents(frames, height, width, channels, ChannelsLast.of(drawn, channels));
        }
        if (given.frames() != frames
                || given.height() != height
                || given.width() != width
                || given.channels() != channels) {
            throw new IllegalArgumentException(
                    "the initial latents are %d frames of %dx%d with %d channels, expected %d frames of %dx%d with %d channels for a clip of %d frames of %dx%d"
                            .formatted(
                                    given.frames(),
                                    given.width(),
                                    given.height(),
                                    given.channels(),
                                    frames,
                                    width,
                                    height,
                                    channels,
                                    format.frames(),
                                    format.width(),
                                    format.height()));
        }
        return given;
    }
}
