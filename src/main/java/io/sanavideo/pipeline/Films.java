package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
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
     * Makes a film, or what is still to be made of it.
     *
     * @param frames takes each picture as soon as it is there, [height, width, 3] bytes
     * @param log knows what is done already, and keeps what will be
     */
    void make(
            FilmSettings film,
            Residency residency,
            Consumer<ByteBuffer> frames,
            ChunkLog log,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        with(
                film,
                film.firstBeat(log.done()),
                residency,
                stopIfCancelled,
                listener,
                maker ->
                        components.withFilmParts(
                                residency,
                                listener,
                                (transformer, vae) -> {
                                    maker.make(
                                            transformer,
                                            vae,
                                            frames,
                                            log,
                                            stopIfCancelled,
                                            listener);
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
                0,
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
        return Latents.concatenate(chunks);
    }

    /**
     * @param firstBeat that is worked at; texts and images of those before it are not needed
     */
    private void with(
            FilmSettings film,
            int firstBeat,
            Residency residency,
            Runnable stopIfCancelled,
            ProgressListener listener,
            Consumer<FilmMaker> work) {
        try (FilmTexts texts =
                components.with(
                        components.encoder(residency),
                        residency,
                        listener,
                        encoder -> encode(encoder, film, firstBeat, stopIfCancelled, listener))) {
            List<Latents> images = images(components, residency, film, firstBeat, listener);
            work.accept(new FilmMaker(parts.vae(), film, texts, images));
        } finally {
            components.context().trim();
        }
    }

    private FilmTexts encode(
            Gemma2Encoder encoder,
            FilmSettings film,
            int firstBeat,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        Settings settings = film.settings();
        List<String> needed = new ArrayList<>(film.prompts());
        Collections.fill(needed.subList(0, firstBeat), null);
        long texts =
                needed.stream().filter(Objects::nonNull).distinct().count()
                        + (film.guided() ? 1 : 0);
        PhaseClock clock = new PhaseClock(listener, Phase.ENCODE, texts, null);
        long[] done = new long[1];
        Tensor negative = film.guided() ? prompts.negative(encoder, settings) : null;
        if (film.guided()) {
            clock.done(++done[0]);
        }
        return new FilmTexts(
                encoder.context(),
                needed,
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
            int firstBeat,
            ProgressListener listener) {
        List<Latents> images = new ArrayList<>();
        for (int i = 0; i < film.scenes().size(); i++) {
            FilmSettings.Scene scene = film.scenes().get(i);
            images.add(
                    i < firstBeat || scene.image() == null
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
