package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.pipeline.Film.Shot;
import io.sanavideo.pipeline.Film.Span;
import io.sanavideo.weights.ContentHash;
import java.util.ArrayList;
import java.util.List;

/**
 * What each chunk of a film was asked to be, as hashes: one over that and all of the film before
 * it, under which a chunk that was made need not be made again; and one over what its latents
 * depend on, itself and its shot before it, under which they can be taken though the film before
 * the shot is another. What computed it (weights, build, device) is not part of them.
 */
final class ChunkKeys {
    /**
     * @param film of the chunk as a part of the film
     * @param latents of its latents
     */
    record Key(String film, String latents) {}

    private final FilmSettings film;

    private ChunkKeys(FilmSettings film) {
        this.film = film;
    }

    /**
     * The keys of a film's chunks, in their order.
     *
     * @param written how its pictures are written
     */
    static List<Key> of(FilmSettings film, String written) {
        ChunkKeys keys = new ChunkKeys(film);
        List<Key> all = new ArrayList<>();
        List<Shot> shots = film.film().shots();
        String chain = ContentHash.of(written + keys.whole());
        for (int i = 0; i < shots.size(); i++) {
            int dissolve = i + 1 < shots.size() ? shots.get(i + 1).dissolve() : 0;
            String latents = ContentHash.of(keys.whole());
            for (Span span : shots.get(i).chunks()) {
                latents = ContentHash.of(latents + keys.latents(span));
                chain =
                        ContentHash.of(
                                chain + latents + keys.pictures(shots.get(i), span, dissolve));
                all.add(new Key(chain, latents));
            }
        }
        return all;
    }

    /** What holds for all chunks; not how many there are. */
    private String whole() {
        Settings settings = film.settings();
        ClipFormat format = settings.format();
        List<Object> parts =
                List.of(
                        format.width(),
                        format.height(),
                        format.fps(),
                        settings.negativePrompt(),
                        String.valueOf(settings.motionScore()),
                        settings.instruction().text(),
                        settings.maxTokens(),
                        settings.steps(),
                        settings.guidance(),
                        settings.schedule(),
                        String.valueOf(film.fewSteps()),
                        film.window());
        return parts.toString();
    }

    private String latents(Span span) {
        FilmSettings.Scene scene = film.scenes().get(span.beat());
        List<Object> parts =
                List.of(
                        span,
                        scene.seed(),
                        scene.image() == null ? "" : scene.image().sha256(),
                        scene.prompt());
        return parts.toString();
    }

    /**
     * @param dissolve pictures at the shot's end that the next one fades in over
     */
    private String pictures(Shot shot, Span span, int dissolve) {
        List<Object> parts =
                List.of(
                        span.end() == shot.latentFrames(),
                        shot.dissolve(),
                        // Where the pictures that wait for a dissolve begin.
                        dissolve == 0 ? "" : shot.frames() - dissolve);
        return parts.toString();
    }
}
