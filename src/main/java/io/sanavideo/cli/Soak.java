package io.sanavideo.cli;

import io.sanavideo.Beat;
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
import java.util.Optional;

/** Many generations in one program, after each of which memory must be back where it was. */
final class Soak {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String RESIDENT = "VmRSS:";
    private static final int LINES = 10;
    private static final double MB = 1e6;

    private final SanaVideo sana;
    private final PrintStream out;

    Soak(SanaVideo sana, PrintStream out) {
        this.sana = sana;
        this.out = out;
    }

    /**
     * Makes clips at once, long ones chunk by chunk, and stories, in turn.
     *
     * @param runs generations, from 3
     * @return whether native memory is what it was after the first three
     */
    boolean run(int runs) {
        long baseline = 0;
        for (int i = 1; i <= runs; i++) {
            generate(i);
            if (i == 3) {
                baseline = sana.memoryInUse();
            }
            if (i == 3 || i % Math.max(1, runs / LINES) == 0) {
                out.printf(
                        "%4d generations: native memory %.3f MB, resident %s%n",
                        i, sana.memoryInUse() / MB, resident().orElse("not known"));
            }
        }
        return sana.memoryInUse() == baseline;
    }

    private void generate(int run) {
        TextToVideo.Builder text =
                TextToVideo.prompt("a red circle moving left on a black background")
                        .seed(run)
                        .steps(4);
        switch (run % 3) {
            case 0 -> sana.generate(text.build(), FrameSink.NONE);
            case 1 -> sana.generate(text.seconds(3 + run % 5).build(), FrameSink.NONE);
            default ->
                    sana.generate(
                            Story.of(
                                    text.build(),
                                    Beat.of(2.5, "a blue square growing"),
                                    Beat.of(2.5, "a green triangle moving up"),
                                    Beat.of(2, "a cyan circle").with(Transition.DISSOLVE)),
                            FrameSink.NONE,
                            ProgressListener.NONE);
        }
    }

    /** What of the program is in memory, Java's heap included; known on Linux. */
    private static Optional<String> resident() {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(RESIDENT))
                    .map(line -> line.substring(RESIDENT.length()).strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
