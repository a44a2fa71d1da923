package io.sanavideo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Progress;
import io.sanavideo.Progress.Phase;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.media.Quality;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What each chunk of a long video takes: a late one must take as long as an early one.
 *
 * @param seconds of each chunk, from its first step until its pictures are in the file and it is
 *     remembered: medians over the runs
 */
record ChunkTimes(double[] seconds) {
    /** Chunks that are compared, counted from 1: an early one after the first few, a late one. */
    static final int EARLY = 5;

    static final int LATE = 100;

    private static final int STEPS = 20;

    /** 120 chunks of the demo model, which are 300 seconds. */
    private static final int FRAMES = 120 * 5 * 4 - 3;

    private static final double HUNDRED = 100;

    /**
     * Makes a long video again and again.
     *
     * @param runs videos that count, after one that does not
     * @throws IOException when there is no place for a temporary file
     */
    static ChunkTimes of(SanaVideo sana, int runs) throws IOException {
        List<double[]> times = new ArrayList<>();
        for (int run = 0; run <= runs; run++) {
            double[] seconds = video(sana);
            if (run > 0) {
                times.add(seconds);
            }
        }
        double[] medians = new double[times.get(0).length];
        for (int i = 0; i < medians.length; i++) {
            int chunk = i;
            medians[i] = median(times.stream().mapToDouble(run -> run[chunk]).toArray());
        }
        return new ChunkTimes(medians);
    }

    private static double[] video(SanaVideo sana) throws IOException {
        TextToVideo text =
                TextToVideo.prompt("a red circle moving right on a black background")
                        .frames(FRAMES)
                        .steps(STEPS)
                        .seed(1)
                        .build();
        List<Double> ends = new ArrayList<>();
        Path folder = Files.createTempDirectory("sana-video-bench");
        Path file = folder.resolve("clip.mp4");
        try {
            sana.generateTo(text, file, Quality.MEDIUM, progress -> note(progress, ends));
        } finally {
            Files.deleteIfExists(file);
            Files.delete(folder);
        }
        double[] seconds = new double[ends.size() - 1];
        for (int i = 0; i < seconds.length; i++) {
            seconds[i] = ends.get(i + 1) - ends.get(i);
        }
        return seconds;
    }

    /** The phase's beginning is noted, and the end of each chunk, which has a step of its own. */
    private static void note(Progress progress, List<Double> ends) {
        if (progress.phase() == Phase.CHUNKS && progress.step() % (STEPS + 1) == 0) {
            ends.add(progress.elapsed().toNanos() / 1e9);
        }
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

    /** By how much of their median chunks become slower, from the early one on, in a hundred. */
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

    /** In words. */
    String described(int runs) {
        return "chunk %d: median %.4f s, chunk %d: median %.4f s of %d videos of %d chunks, ratio %.3f; straight line through chunks %d to %d: %+.2f%% in a hundred chunks"
                .formatted(
                        EARLY,
                        early(),
                        LATE,
                        late(),
                        runs,
                        seconds.length,
                        ratio(),
                        EARLY,
                        seconds.length,
                        HUNDRED * slope());
    }

    void put(ObjectNode result) {
        result.put("chunk_" + EARLY + "_median_s", early())
                .put("chunk_" + LATE + "_median_s", late())
                .put("ratio", ratio())
                .put("slope_per_100_chunks", slope());
        Arrays.stream(seconds).forEach(result.putArray("chunk_medians_s")::add);
    }
}
