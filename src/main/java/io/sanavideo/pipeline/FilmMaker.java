package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.model.VaeDecoder;
import io.sanavideo.pipeline.Film.Shot;
import io.sanavideo.pipeline.Film.Span;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/**
 * Makes a film: each chunk is denoised, decoded and handed on before the next begins, so that
 * nothing holds more than a chunk, what the transformer and the VAE remember of those before it,
 * and the pictures under a dissolve.
 */
final class FilmMaker {
    private final VaeConfig vae;
    private final FilmSettings film;
    private final FilmTexts texts;
    private final List<Latents> images;

    /**
     * @param texts of the film's beats
     * @param images the latent frame that each beat begins with, or null
     */
    FilmMaker(VaeConfig vae, FilmSettings film, FilmTexts texts, List<Latents> images) {
        this.vae = vae;
        this.film = film;
        this.texts = texts;
        this.images = images;
    }

    private int height() {
        return film.settings().format().height() / vae.spatialFactor();
    }

    private int width() {
        return film.settings().format().width() / vae.spatialFactor();
    }

    /**
     * Makes all of it.
     *
     * @param frames takes each picture, [height, width, 3] bytes, valid during the call
     * @param stopIfCancelled called between steps and latent frames
     */
    void make(
            SanaTransformer transformer,
            VaeDecoder decoder,
            Consumer<ByteBuffer> frames,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        List<Shot> shots = film.film().shots();
        FilmClock clock = clock(listener);
        try (ShotJoiner joiner = new ShotJoiner(frames);
                ChunkDenoiser denoiser = denoiser(transformer)) {
            for (int i = 0; i < shots.size(); i++) {
                Shot shot = shots.get(i);
                joiner.begin(shot, i + 1 < shots.size() ? shots.get(i + 1).dissolve() : 0);
                try (FrameStream stream =
                        new FrameStream(decoder, vae, height(), width(), joiner)) {
                    for (Span span : shot.chunks()) {
                        boolean last = span.end() == shot.latentFrames();
                        denoiser.denoise(
                                chunk(span),
                                latents -> stream.decode(latents, last, stopIfCancelled, () -> {}),
                                stopIfCancelled,
                                clock);
                        clock.chunkDone();
                    }
                }
            }
        }
    }

    /**
     * Denoises all of it and decodes nothing.
     *
     * @param latents takes each chunk's
     */
    void denoise(
            SanaTransformer transformer,
            Consumer<Latents> latents,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        FilmClock clock = clock(listener);
        try (ChunkDenoiser denoiser = denoiser(transformer)) {
            for (Shot shot : film.film().shots()) {
                for (Span span : shot.chunks()) {
                    denoiser.denoise(chunk(span), latents, stopIfCancelled, clock);
                    clock.chunkDone();
                }
            }
        }
    }

    private FilmClock clock(ProgressListener listener) {
        return new FilmClock(listener, film.settings().steps(), film.film().chunks());
    }

    private ChunkDenoiser denoiser(SanaTransformer transformer) {
        return new ChunkDenoiser(transformer, height(), width(), film.window(), film.sampling());
    }

    private Chunk chunk(Span span) {
        Chunk.Start start = Chunk.Start.CONTINUE;
        if (span.first() == 0) {
            start = Chunk.Start.CUT;
        } else if (span.number() == 0 && texts.of(span.beat()) != texts.of(span.beat() - 1)) {
            start = Chunk.Start.CARRY;
        }
        return new Chunk(
                film.scenes().get(span.beat()).seed(),
                span.beat(),
                span.number(),
                span.frames(),
                texts.of(span.beat()),
                start,
                span.number() == 0 ? images.get(span.beat()) : null,
                film.noise(span));
    }
}
