package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.pipeline.Film.Shot;
import io.sanavideo.pipeline.Film.Span;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What each chunk of a film was asked to be, as a hash over that and all that came before it: a
 * chunk that was made under the same key need not be made again. What computed it (weights, build,
 * device) is not part of it.
 */
final class ChunkKeys {
    private final MessageDigest sha256;
    private final FilmSettings film;

    private ChunkKeys(FilmSettings film) {
        this.film = film;
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * The keys of a film's chunks, in their order.
     *
     * @param written how its pictures are written
     */
    static List<String> of(FilmSettings film, String written) {
        ChunkKeys keys = new ChunkKeys(film);
        List<String> all = new ArrayList<>();
        List<Shot> shots = film.film().shots();
        String last = keys.hash(written + keys.whole());
        for (int i = 0; i < shots.size(); i++) {
            int dissolve = i + 1 < shots.size() ? shots.get(i + 1).dissolve() : 0;
            for (Span span : shots.get(i).chunks()) {
                last = keys.hash(last + keys.chunk(shots.get(i), span, dissolve));
                all.add(last);
            }
        }
        return all;
    }

    private String hash(String text) {
        return HexFormat.of().formatHex(sha256.digest(text.getBytes(StandardCharsets.UTF_8)));
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

    /**
     * @param dissolve pictures at the shot's end that the next one fades in over
     */
    private String chunk(Shot shot, Span span, int dissolve) {
        FilmSettings.Scene scene = film.scenes().get(span.beat());
        List<Object> parts =
                List.of(
                        span,
                        span.end() == shot.latentFrames(),
                        shot.dissolve(),
                        // Where the pictures that wait for a dissolve begin.
                        dissolve == 0 ? "" : shot.frames() - dissolve,
                        scene.seed(),
                        scene.image() == null ? "" : scene.image().sha256(),
                        scene.prompt());
        return parts.toString();
    }
}
