package io.sanavideo.media;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A film with beats as a story's has them, whose frame {@code i} is grey of the value i. */
record StoryFilm(int width, int height, double fps, List<FilmBeat> beats) {
    /** Beats of 17, 20 and 8 frames. */
    static StoryFilm of(int width, int height, double fps) {
        return new StoryFilm(
                width,
                height,
                fps,
                List.of(
                        new FilmBeat(1, "a fox \"runs\" 🐞", 7, 0, 17),
                        new FilmBeat(2, "an owl ".repeat(30).strip(), Long.MAX_VALUE - 1, 17, 37),
                        new FilmBeat(3, "snow", -1, 37, 45)));
    }

    Map<String, String> metadata() {
        StringBuilder recipe = new StringBuilder("{\"beats\":[");
        for (FilmBeat beat : beats) {
            recipe.append(beat.number() > 1 ? "," : "");
            recipe.append("{\"seed\":").append(beat.seed()).append("}");
        }
        return Map.of(ClipInfo.RECIPE, recipe + "]}");
    }

    long frames() {
        return beats.get(beats.size() - 1).endFrame();
    }

    static int grey(long frame) {
        return (int) (5 * frame);
    }

    Path write(Path path) {
        return write(path, metadata());
    }

    Path write(Path path, Map<String, String> metadata) {
        try (ClipWriter writer = ClipWriter.open(path, width, height, fps, Quality.HIGH)) {
            for (int i = 0; i < frames(); i++) {
                ByteBuffer rgb = ByteBuffer.allocate(width * height * 3);
                while (rgb.hasRemaining()) {
                    rgb.put((byte) grey(i));
                }
                writer.write(rgb.flip());
            }
            writer.finish(metadata, beats.stream().map(FilmBeat::chapter).toList());
        }
        return path;
    }
}
