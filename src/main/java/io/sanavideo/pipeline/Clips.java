package io.sanavideo.pipeline;

import io.sanavideo.FrameSink;
import io.sanavideo.Latents;
import io.sanavideo.Plan;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.model.Observer;
import io.sanavideo.runtime.Tensor;

/**
 * What happens in which order when a clip is made at once: text and image first, then all latent
 * frames together, then the pictures.
 */
final class Clips {
    private final ModelParts parts;
    private final Components components;
    private final PromptEncoder prompts;
    private final Denoiser denoiser;
    private final FrameDecoder frames;

    Clips(ModelParts parts, Components components, PromptEncoder prompts) {
        this.parts = parts;
        this.components = components;
        this.prompts = prompts;
        denoiser = new Denoiser(parts.transformer(), parts.vae());
        frames = new FrameDecoder(parts.vae());
    }

    /** Whether a second branch, for the negative prompt, runs at each step. */
    boolean isGuided(Settings settings) {
        return denoiser.isGuided(settings);
    }

    /**
     * Encodes text and image, and denoises.
     *
     * @param observer sees what the transformer computes; null for none
     */
    Denoised denoise(
            Settings settings,
            Plan plan,
            Runnable stopIfCancelled,
            ProgressListener listener,
            Observer observer) {
        Residency residency = Residency.of(plan);
        Stopwatch encoding = new Stopwatch();
        Stopwatch denoising = new Stopwatch();
        try (Embeddings text =
                components.with(
                        components.encoder(residency),
                        residency,
                        listener,
                        encoder -> encoding.time(() -> encode(encoder, settings, listener)))) {
            Latents image =
                    settings.image() == null
                            ? null
                            : encoding.time(() -> encodeImage(settings, residency, listener));
            Latents latents =
                    components.with(
                            components.transformer(residency),
                            residency,
                            listener,
                            transformer ->
                                    denoising.time(
                                            () ->
                                                    denoiser.denoise(
                                                            transformer,
                                                            settings,
                                                            text,
                                                            image,
                                                            stopIfCancelled,
                                                            listener,
                                                            observer)));
            return new Denoised(settings, plan, latents, encoding.elapsed(), denoising.elapsed());
        } finally {
            components.context().trim();
        }
    }

    private Embeddings encode(Gemma2Encoder encoder, Settings settings, ProgressListener listener) {
        boolean guided = isGuided(settings);
        PhaseClock clock = new PhaseClock(listener, Phase.ENCODE, guided ? 2 : 1, null);
        Tensor prompt = prompts.prompt(encoder, settings);
        try {
            clock.done(1);
            Tensor negative = guided ? prompts.negative(encoder, settings) : null;
            if (guided) {
                clock.done(2);
            }
            return new Embeddings(prompt, negative);
        } catch (Throwable e) {
            prompt.close();
            throw e;
        }
    }

    /** The latent frame that a clip from an image begins with. */
    Latents encodeImage(Settings settings, Residency residency, ProgressListener listener) {
        return components.withVaeEncoder(
                residency,
                listener,
                vae -> ImageEncoder.encode(vae, settings.image(), settings.format()));
    }

    /**
     * Decodes and hands frames on.
     *
     * @param time of the decoding alone is added to it
     * @return the chain over the frames
     */
    String decode(
            Denoised denoised,
            FrameSink sink,
            Stopwatch time,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        int tile = denoised.plan().tile() / parts.vae().spatialFactor();
        try {
            return components.with(
                    components.vae,
                    Residency.of(denoised.plan()),
                    listener,
                    vae ->
                            time.time(
                                    () ->
                                            frames.decode(
                                                    vae,
                                                    denoised.latents(),
                                                    denoised.settings().format(),
                                                    tile,
                                                    sink,
                                                    stopIfCancelled,
                                                    listener)));
        } finally {
            components.context().trim();
        }
    }

    /** Decodes latents on their own. What is loaded stays where it is. */
    void decode(Latents latents, FrameSink sink, Runnable stopIfCancelled) {
        frames.decode(
                components.vae.get(ProgressListener.NONE),
                latents,
                frames.format(latents, parts.defaults().fps()),
                parts.tile(),
                sink,
                stopIfCancelled,
                ProgressListener.NONE);
    }
}
