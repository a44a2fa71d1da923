package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What happens in which order when a film is made: texts and images first, then the chunks. */
final class Films {
    private final ModelParts parts;
    private final Components components;
    private final PromptEncoder prompts;

    Films(ModelParts parts, Components components, PromptEncoder prompts) {
        this.parts = parts;
        this.components = components;
        this.prompts = prompts;
    }

    /**
     * Makes a film.
     *
     * @param frames takes each picture as soon as it is there, [height, width, 3] bytes
     */
    void make(
            FilmSettings film,
            Residency residency,
            Consumer<ByteBuffer> frames,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        with(
                film,
                residency,
                stopIfCancelled,
                listener,
                maker ->
                        components.withFilmParts(
                                residency,
                                listener,
                                (transformer, vae) -> {
                                    maker.make(transformer, vae, frames, stopIfCancelled, listener);
                                    return null;
                                }));
    }

    /** Denoises a film's chunks, whose latents are kept: memory grows by them. */
    Latents denoise(
            FilmSettings film,
            Residency residency,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        List<Latents> chunks = new ArrayList<>();
        with(
                film,
                residency,
                stopIfCancelled,
                listener,
                maker ->
                        components.with(
                                components.transformer(residency),
                                residency,
                                listener,
                                transformer -> {
                                    maker.denoise(
                                            transformer, chunks::add, stopIfCancelled, listener);
                                    return null;
                                }));
        return joined(chunks);
    }

    private static Latents joined(List<Latents> chunks) {
        Latents first = chunks.get(0);
        int frames = chunks.stream().mapToInt(Latents::frames).sum();
        int size = first.height() * first.width() * first.channels();
        float[] values = new float[Math.multiplyExact(frames, size)];
        int at = 0;
        for (Latents chunk : chunks) {
            System.arraycopy(chunk.values(), 0, values, at, chunk.values().length);
            at += chunk.values().length;
        }
        return new Latents(frames, first.height(), first.width(), first.channels(), values);
    }

    private void with(
            FilmSettings film,
            Residency residency,
            Runnable stopIfCancelled,
            ProgressListener listener,
            Consumer<FilmMaker> work) {
        try (FilmTexts texts =
                components.with(
                        components.encoder(residency),
                        residency,
                        listener,
                        encoder -> encode(encoder, film, stopIfCancelled, listener))) {
            List<Latents> images = images(components, residency, film, listener);
            work.accept(new FilmMaker(parts.vae(), film, texts, images));
        } finally {
            components.context().trim();
        }
    }

    private FilmTexts encode(
            Gemma2Encoder encoder,
            FilmSettings film,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        Settings settings = film.settings();
        long texts = film.prompts().stream().distinct().count() + (film.guided() ? 1 : 0);
        PhaseClock clock = new PhaseClock(listener, Phase.ENCODE, texts, null);
        long[] done = new long[1];
        Tensor negative = film.guided() ? prompts.negative(encoder, settings) : null;
        if (film.guided()) {
            clock.done(++done[0]);
        }
        return new FilmTexts(
                encoder.context(),
                film.prompts(),
                prompt -> {
                    stopIfCancelled.run();
                    Tensor encoded = prompts.prompt(encoder, settings, prompt);
                    clock.done(++done[0]);
                    return encoded;
                },
                negative);
    }

    /** The latent frames that beats begin with; null for those without an image. */
    static List<Latents> images(
            Components components,
            Residency residency,
            FilmSettings film,
            ProgressListener listener) {
        List<Latents> images = new ArrayList<>();
        for (FilmSettings.Scene scene : film.scenes()) {
            images.add(
                    scene.image() == null
                            ? null
                            : components.withVaeEncoder(
                                    residency,
                                    listener,
                                    vae ->
                                            ImageEncoder.encode(
                                                    vae, scene.image(), film.settings().format())));
        }
        return images;
    }
}
