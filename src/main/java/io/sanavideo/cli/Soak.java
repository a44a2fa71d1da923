package io.sanavideo.cli;

import io.sanavideo.Beat;
import io.sanavideo.CancelledException;
import io.sanavideo.FrameSink;
import io.sanavideo.ProgressListener;
import io.sanavideo.SanaVideo;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Many generations in one program: clips at once, long ones into a file, stories, and stories that
 * are given up midway, in turn. Afterwards memory must be where it was: the tensors' to the byte,
 * the resident set but for what a warming program takes, which is judged where Java's heap does not
 * grow.
 */
final class Soak {
    /** The fewest generations: memory is looked at after each kind was made. */
    static final int FEWEST = 8;

    private static final int KINDS = 4;
    private static final int LINES = 10;
    private static final int STEPS = 4;
    private static final double MB = 1e6;

    /** Code that is compiled late, classes, and what malloc does not give back. */
    private static final double TOLERANCE = 0.03;

    private final SanaVideo sana;
    private final PrintStream out;

    Soak(SanaVideo sana, PrintStream out) {
        this.sana = sana;
        this.out = out;
    }

    /**
     * @param runs generations, from {@link #FEWEST}
     * @return whether memory is what it was after the first tenth of them
     * @throws IOException when there is no place for a temporary file
     */
    boolean run(int runs) throws IOException {
        int every = Math.max(1, runs / LINES);
        int first = Math.max(KINDS, every);
        long tensors = 0;
        OptionalLong resident = OptionalLong.empty();
        Path folder = Files.createTempDirectory("sana-video-soak");
        Path file = folder.resolve("clip.mp4");
        try {
            for (int i = 1; i <= runs; i++) {
                generate(i, file);
                if (i == first) {
                    tensors = sana.memoryInUse();
                    resident = ResidentSet.bytes();
                }
                if (i == first || i % every == 0) {
                    out.printf(
                            "%4d generations: tensors %.3f MB, resident set %s%n",
                            i, sana.memoryInUse() / MB, megabytes(ResidentSet.bytes()));
                }
            }
        } finally {
            Files.deleteIfExists(file);
            Files.delete(folder);
        }
        boolean isBack = sana.memoryInUse() == tensors;
        out.printf(
                "tensors: %s what they were after %d%n", isBack ? "exactly" : "NOT exactly", first);
        return residentIsBack(resident, first) && isBack;
    }

    private boolean residentIsBack(OptionalLong before, int first) {
        OptionalLong now = ResidentSet.bytes();
        if (before.isEmpty() || now.isEmpty()) {
            out.println("resident set: not known on this system");
            return true;
        }
        if (!ResidentSet.hasSteadyHeap()) {
            out.printf(
                    "resident set: not judged, since Java's heap grows; start with SANA_JAVA_OPTS='%s'%n",
                    ResidentSet.STEADY_HEAP);
            return true;
        }
        double grown = (double) now.getAsLong() / before.getAsLong() - 1;
        boolean isBack = grown <= TOLERANCE;
        out.printf(
                "resident set: %+.2f%% since the %d first, %s%.0f%%%n",
                100 * grown, first, isBack ? "within " : "NOT within ", 100 * TOLERANCE);
        return isBack;
    }

    private static String megabytes(OptionalLong bytes) {
        return bytes.isEmpty() ? "not known" : "%.2f MB".formatted(bytes.getAsLong() / MB);
    }

    private void generate(int run, Path file) {
        TextToVideo.Builder text =
                TextToVideo.prompt("a red circle moving left on a black background")
                        .seed(run)
                        .steps(STEPS);
        switch (run % KINDS) {
            case 0 -> sana.generate(text.build(), FrameSink.NONE);
            case 1 -> sana.generateTo(text.seconds(3 + run % 5).build(), file);
            case 2 -> sana.generate(story(text), FrameSink.NONE, ProgressListener.NONE);
            default -> giveUp(story(text));
        }
    }

    private static Story story(TextToVideo.Builder look) {
        return Story.of(
                look.build(),
                Beat.of(2.5, "a blue square growing"),
                Beat.of(2.5, "a green triangle moving up"),
                Beat.of(2, "a cyan circle").with(Transition.DISSOLVE));
    }

    /** Cancels under the dissolve, where most is held. */
    private void giveUp(Story story) {
        try {
            sana.generate(
                    story,
                    FrameSink.NONE,
                    progress -> {
                        if (progress.step() == progress.total() - 2) {
                            sana.cancel();
                        }
                    });
        } catch (CancelledException e) {
            return;
        }
        throw new IllegalStateException("a cancelled story was made to its end");
    }
}
