package io.sanavideo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Beat;
import io.sanavideo.ClipFile;
import io.sanavideo.Model;
import io.sanavideo.ProgressListener;
import io.sanavideo.Project;
import io.sanavideo.SanaVideo;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a project's film takes, and its last beat made again from other noise: medians.
 *
 * @param seconds of video of each of the eight beats
 * @param whole seconds of the film
 * @param lastBeat seconds of the beat, the film's file included
 */
record RerollTimes(double seconds, double whole, double lastBeat) {
    private static final int BEATS = 8;

    /**
     * Makes films and their last beats in turn.
     *
     * @param seconds of video of a beat
     * @param runs that count, after one that does not
     * @throws IOException when there is no place for temporary files
     */
    static RerollTimes of(Model model, double seconds, int runs) throws IOException {
        double[] films = new double[runs];
        double[] beats = new double[runs];
        Path folder = Files.createTempDirectory("sana-video-bench");
        try (SanaVideo sana = SanaVideo.open(model, story(seconds), ProgressListener.NONE)) {
            for (int run = -1; run < runs; run++) {
                Project project =
                        Project.create(
                                folder.resolve("project" + run),
                                model,
                                story(seconds),
                                ClipFile.of(folder.resolve("film.mp4")));
                double film = time(sana, project);
                double beat = time(sana, project.reroll(BEATS, run));
                if (run >= 0) {
                    films[run] = film;
                    beats[run] = beat;
                }
            }
        } finally {
            delete(folder);
        }
        return new RerollTimes(seconds, median(films), median(beats));
    }

    private static Story story(double seconds) {
        List<Beat> beats = new ArrayList<>();
        for (int i = 0; i < BEATS; i++) {
            String colour = List.of("red", "blue", "green", "yellow").get(i % 4);
            beats.add(
                    Beat.of(
                            seconds,
                            "a %s circle moving right on a black background".formatted(colour)));
        }
        return new Story(TextToVideo.prompt("").seed(1).build(), beats);
    }

    private static double time(SanaVideo sana, Project project) {
        long start = System.nanoTime();
        sana.generate(project, ProgressListener.NONE);
        return (System.nanoTime() - start) / 1e9;
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(
                            file -> {
                                try {
                                    Files.delete(file);
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            });
        }
    }

    /** What the beat takes of the film's time; at best an eighth. */
    double ratio() {
        return lastBeat / whole;
    }

    /** In words. */
    String described(int runs) {
        return "film of %d beats of %.0f s: median %.3f s, its last beat again: median %.3f s of %d, ratio %.4f = %.2f/%d"
                .formatted(BEATS, seconds, whole, lastBeat, runs, ratio(), BEATS * ratio(), BEATS);
    }

    void put(ObjectNode result) {
        result.put("beat_s", seconds)
                .put("film_median_s", whole)
                .put("last_beat_median_s", lastBeat)
                .put("ratio", ratio());
    }
}
