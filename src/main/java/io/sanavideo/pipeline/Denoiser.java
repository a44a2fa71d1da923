package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Latents;
import io.sanavideo.LayerPolicy;
import io.sanavideo.NumericsException;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.Observer;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.TransformerConfig;
import io.sanavideo.model.TransformerRun;
import io.sanavideo.model.TransformerText;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.FlowSampler;
import io.sanavideo.schedule.TorchRandom;
import java.util.OptionalDouble;

/**
 * Noise to latents: at each step the transformer's velocity, guided away from the negative prompt,
 * moves the latents along the flow. Where a clip begins with an image, its latent frame is there
 * from the beginning and stays as it is.
 */
final class Denoiser {
    /** Elements that an array can have. */
    private static final int MOST_NUMBERS = Integer.MAX_VALUE - 8;

    private final TransformerConfig config;
    private final VaeConfig vae;

    Denoiser(TransformerConfig config, VaeConfig vae) {
        this.config = config;
        this.vae = vae;
    }

    /** Whether a second branch, for the negative prompt, runs at each step. */
    boolean isGuided(Settings settings) {
        return settings.guidance() > 1 && !config.guidanceEmbeds();
    }

    /**
     * @param text embeddings of the prompt, and of the negative prompt where it is guided
     * @param image the latent frame that the clip begins with, or null
     * @param stopIfCancelled called between steps
     * @param observer sees what the transformer computes; null for none
     */
    Latents denoise(
            SanaTransformer transformer,
            Settings settings,
            Embeddings text,
            Latents image,
            Runnable stopIfCancelled,
            ProgressListener listener,
            Observer observer) {
        Latents noise = noise(settings, transformer.context());
        Context context = transformer.context();
        int held = image == null ? 0 : 1;
        try (Range phase = context.range("denoise");
                Tensor latents =
                        context.tensor(
                                DType.F32,
                                noise.frames(),
                                noise.height(),
                                noise.width(),
                                noise.channels());
                TransformerRun run =
                        new TransformerRun(
                                transformer,
                                noise.frames(),
                                noise.height(),
                                noise.width(),
                                told(config, settings.guidance()));
                TransformerText prompt = new TransformerText(transformer, text.prompt(), observer);
                TransformerText negative =
                        text.negative() == null
                                ? null
                                : new TransformerText(transformer, text.negative(), observer);
                GuidedVelocity velocity =
                        new GuidedVelocity(
                                run,
                                new Branch(prompt, null),
                                negative == null ? null : new Branch(negative, null),
                                settings.guidance(),
                                latents,
                                held,
                                observer);
                FlowSampler sampler = settings.schedule().sampler(settings.steps())) {
            latents.upload(noise.values());
            if (image != null) {
                latents.slice(0, held).upload(image.values());
            }
            PhaseClock clock =
                    new PhaseClock(
                            listener, Phase.DENOISE, settings.steps(), () -> copy(latents, noise));
            takeSteps(
                    transformer.policy(), sampler, velocity, latents, held, stopIfCancelled, clock);
            return copy(latents, noise);
        }
    }

    /** What a network is told of the guidance: something where it has guidance embeddings. */
    static OptionalDouble told(TransformerConfig config, double guidance) {
        return config.guidanceEmbeds()
                ? OptionalDouble.of(guidance * config.guidanceScale())
                : OptionalDouble.empty();
    }

    /**
     * Moves latents along the flow, from their noise to a sample.
     *
     * @param latents which the velocity reads
     * @param held frames at the beginning that stay as they are
     * @param stopIfCancelled called between steps
     */
    static void takeSteps(
            LayerPolicy policy,
            FlowSampler sampler,
            GuidedVelocity velocity,
            Tensor latents,
            int held,
            Runnable stopIfCancelled,
            PhaseClock clock) {
        Context context = latents.context();
        double[] timesteps = sampler.timesteps();
        int steps = sampler.steps();
        try (Tensor moving = latents.slice(held, latents.size(0) - held)) {
            for (int i = 0; i < steps; i++) {
                stopIfCancelled.run();
                try (Range step = context.range("step " + (i + 1))) {
                    boolean dense = policy.isDense(i, steps);
                    sampler.step(i, velocity.at(timesteps[i], dense), moving);
                    context.ops().requireFinite(latents);
                } catch (NumericsException e) {
                    throw new NumericsException(
                            "denoising step %d of %d: %s; try --dtype f32 or another flow shift"
                                    .formatted(i + 1, steps, e.getMessage()),
                            e);
                }
                clock.done(i + 1);
            }
        }
    }

    private static Latents copy(Tensor latents, Latents like) {
        return new Latents(
                like.frames(), like.height(), like.width(), like.channels(), latents.toFloats());
    }

    private Latents noise(Settings settings, Context context) {
        ClipFormat format = settings.format();
        int frames = (format.frames() - 1) / vae.temporalFactor() + 1;
        int height = format.height() / vae.spatialFactor();
        int width = format.width() / vae.spatialFactor();
        int channels = config.inChannels();
        Latents given = settings.initialLatents();
        long numbers = (long) channels * frames * height * width;
        if (numbers > MOST_NUMBERS) {
            throw new IllegalArgumentException(
                    "the latents of %d frames of %dx%d are %d numbers, expected at most %d: make the clip shorter or smaller"
                            .formatted(
                                    format.frames(),
                                    format.width(),
                                    format.height(),
                                    numbers,
                                    MOST_NUMBERS));
        }
        if (given == null && context.isDry()) {
            return new Latents(frames, height, width, channels, new float[(int) numbers]);
        }
        if (given == null) {
            // PyTorch draws in its own order, channels first.
            float[] drawn = TorchRandom.randn(settings.seed(), numbers);
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
