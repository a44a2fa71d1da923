package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.model.VaeDecoder;
import io.sanavideo.pipeline.Film.Shot;
import io.sanavideo.pipeline.Film.Span;
import java.nio.ByteBuffer;
import java.util.ArrayList;
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
     * Makes what is not done yet.
     *
     * @param frames takes each picture, [height, width, 3] bytes, valid during the call
     * @param log knows what is done, and keeps what will be
     * @param stopIfCancelled called between steps and latent frames
     */
    void make(
            SanaTransformer transformer,
            VaeDecoder decoder,
            Consumer<ByteBuffer> frames,
            ChunkLog log,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        List<Shot> shots = film.film().shots();
        FilmClock clock = clock(listener, log.done());
        try (ShotJoiner joiner = new ShotJoiner(frames);
                ChunkDenoiser denoiser = denoiser(transformer)) {
            ShotMaker maker = new ShotMaker(decoder, denoiser, joiner, log, stopIfCancelled, clock);
            int number = 0;
            for (int i = 0; i < shots.size(); i++) {
                Shot shot = shots.get(i);
                if (number + shot.chunks().size() > log.done()) {
                    joiner.begin(shot, i + 1 < shots.size() ? shots.get(i + 1).dissolve() : 0);
                    maker.make(shot, number);
                }
                number += shot.chunks().size();
            }
        }
    }

    /** Makes shots one after the other. */
    private final class ShotMaker {
        private final VaeDecoder decoder;
        private final ChunkDenoiser denoiser;
        private final ShotJoiner joiner;
        private final ChunkLog log;
        private final Runnable stopIfCancelled;
        private final FilmClock clock;

        /** How many chunks were done before this run. */
        private final int done;

        ShotMaker(
                VaeDecoder decoder,
                ChunkDenoiser denoiser,
                ShotJoiner joiner,
                ChunkLog log,
                Runnable stopIfCancelled,
                FilmClock clock) {
            this.decoder = decoder;
            this.denoiser = denoiser;
            this.joiner = joiner;
            this.log = log;
            this.stopIfCancelled = stopIfCancelled;
            this.clock = clock;
            done = log.done();
        }

        /**
         * Makes what is not done of a shot.
         *
         * @param first number of its first chunk in the film
         */
        void make(Shot shot, int first) {
            try (FrameStream stream = new FrameStream(decoder, vae, height(), width(), joiner)) {
                if (done > 0 && first <= done) {
                    log.restore(denoiser, joiner);
                    recall(shot.chunks().get(done - first), stream);
                }
                for (int i = Math.max(0, done - first); i < shot.chunks().size(); i++) {
                    Span span = shot.chunks().get(i);
                    boolean last = span.end() == shot.latentFrames();
                    Consumer<Latents> decode =
                            latents -> stream.decode(latents, last, stopIfCancelled, () -> {});
                    if (log.hasLatents(first + i)) {
                        decode.accept(log.latents(first + i));
                        log.addDecoded(first + i, joiner);
                    } else {
                        denoiser.denoise(chunk(span), decode, stopIfCancelled, clock);
                        log.add(first + i, denoiser, joiner);
                    }
                    clock.chunkDone();
                }
            }
        }

        /** The decoder's stream gets to where it was in front of the next chunk. */
        private void recall(Span next, FrameStream stream) {
            if (next.first() == 0) {
                return;
            }
            int wanted = Math.min(stream.reach(), next.first());
            List<Latents> before = new ArrayList<>();
            int frames = 0;
            for (int chunk = done - 1; frames < wanted; chunk--) {
                before.add(0, log.latents(chunk));
                frames += before.get(0).frames();
            }
            stream.recall(Latents.concatenate(before).slice(frames - wanted, wanted));
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
        FilmClock clock = clock(listener, 0);
        try (ChunkDenoiser denoiser = denoiser(transformer)) {
            for (Shot shot : film.film().shots()) {
                for (Span span : shot.chunks()) {
                    denoiser.denoise(chunk(span), latents, stopIfCancelled, clock);
                    clock.chunkDone();
                }
            }
        }
    }

    private FilmClock clock(ProgressListener listener, int done) {
        return new FilmClock(listener, film.settings().steps(), film.film().chunks(), done);
    }

    private ChunkDenoiser denoiser(SanaTransformer transformer) {
        return new ChunkDenoiser(transformer, height(), width(), film.window(), film.sampling());
    }

    private Chunk chunk(Span span) {
        Chunk.Start start = Chunk.Start.CONTINUE;
        if (span.first() == 0) {
            start = Chunk.Start.CUT;
        } else if (span.number() == 0 && film.changesPrompt(span.beat())) {
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
