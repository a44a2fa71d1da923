package io.sanavideo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Progress;
import io.sanavideo.Progress.Phase;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.media.Quality;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What each chunk of a long video takes, from its first step until its pictures are in the file and
 * it is remembered: a late one must take as much as an early one.
 *
 * @param elapsed by the clock on the wall
 * @param processor time of the engine's own thread, which other programs disturb less; with one
 *     thread it is all of the model's work
 */
record ChunkTimes(Series elapsed, Series processor) {
    private static final int STEPS = 20;

    /** 120 chunks of the demo model, which are 300 seconds. */
    private static final int FRAMES = 120 * 5 * 4 - 3;

    /** When a chunk ended. */
    private record Moment(double elapsed, double processor) {
        static Moment of(Progress progress) {
            long used = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            return new Moment(progress.elapsed().toNanos() / 1e9, used / 1e9);
        }
    }

    /**
     * Makes a long video again and again.
     *
     * @param runs videos that count, after one that does not
     * @throws IOException when there is no place for a temporary file
     */
    static ChunkTimes of(SanaVideo sana, int runs) throws IOException {
        List<List<Moment>> videos = new ArrayList<>();
        for (int run = 0; run <= runs; run++) {
            List<Moment> ends = video(sana);
            if (run > 0) {
                videos.add(ends);
            }
        }
        return new ChunkTimes(
                Series.of(videos, Moment::elapsed), Series.of(videos, Moment::processor));
    }

    private static List<Moment> video(SanaVideo sana) throws IOException {
        TextToVideo text =
                TextToVideo.prompt("a red circle moving right on a black background")
                        .frames(FRAMES)
                        .steps(STEPS)
                        .seed(1)
                        .build();
        List<Moment> ends = new ArrayList<>();
        Path folder = Files.createTempDirectory("sana-video-bench");
        Path file = folder.resolve("clip.mp4");
        try {
            sana.generateTo(text, file, Quality.MEDIUM, progress -> note(progress, ends));
        } finally {
            Files.deleteIfExists(file);
            Files.delete(folder);
        }
        return ends;
    }

    /** The phase's beginning is noted, and the end of each chunk, which has a step of its own. */
    private static void note(Progress progress, List<Moment> ends) {
        if (progress.phase() == Phase.CHUNKS && progress.step() % (STEPS + 1) == 0) {
            ends.add(Moment.of(progress));
        }
    }

    /** In words. */
    String described(int runs) {
        return "%d videos of %d chunks; by the clock: %s; processor time: %s"
                .formatted(
                        runs, elapsed.seconds.length, elapsed.described(), processor.described());
    }

    void put(ObjectNode result) {
        elapsed.put(result.putObject("elapsed"));
        processor.put(result.putObject("processor"));
    }

    /**
     * @param seconds of each chunk: medians over the videos
     */
    record Series(double[] seconds) {
        /** Chunks that are compared, counted from 1: the early one comes after a few others. */
        private static final int EARLY = 5;

        private static final int LATE = 100;
        private static final double HUNDRED = 100;

        private static Series of(List<List<Moment>> videos, ToDoubleFunction<Moment> clock) {
            double[] seconds = new double[videos.get(0).size() - 1];
            for (int i = 0; i < seconds.length; i++) {
                int chunk = i;
                seconds[i] =
                        median(
                                videos.stream()
                                        .mapToDouble(
                                                ends ->
                                                        clock.applyAsDouble(ends.get(chunk + 1))
                                                                - clock.applyAsDouble(
                                                                        ends.get(chunk)))
                                        .toArray());
            }
            return new Series(seconds);
        }

        private static double median(double... values) {
            double[] sorted = values.clone();
            Arrays.sort(sorted);
            return sorted[sorted.length / 2];
        }

        private double early() {
            return seconds[EARLY - 1];
        }

        private double late() {
            return seconds[LATE - 1];
        }

        /** What the late chunk takes of the early one's time. */
        double ratio() {
            return late() / early();
        }

        /**
         * By how much of their median chunks become slower in a hundred of them: the straight line
         * of least squares through all from the early one on.
         */
        double slope() {
            double[] from = Arrays.copyOfRange(seconds, EARLY - 1, seconds.length);
            double middle = (from.length - 1) / 2.0;
            double rise = 0;
            double run = 0;
            for (int i = 0; i < from.length; i++) {
                rise += (i - middle) * from[i];
                run += (i - middle) * (i - middle);
            }
            return HUNDRED * rise / run / median(from);
        }

        private String described() {
            return "median of chunk %d %.4f s, of chunk %d %.4f s, ratio %.3f, trend %+.2f%% in a hundred chunks"
                    .formatted(EARLY, early(), LATE, late(), ratio(), HUNDRED * slope());
        }

        private void put(ObjectNode result) {
            result.put("chunk_" + EARLY + "_median_s", early())
                    .put("chunk_" + LATE + "_median_s", late())
                    .put("ratio", ratio())
                    .put("trend_in_100_chunks", slope());
            Arrays.stream(seconds).forEach(result.putArray("chunk_medians_s")::add);
        }
    }
}
