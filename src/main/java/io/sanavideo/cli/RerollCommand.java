package io.sanavideo.cli;

import io.sanavideo.Project;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sana-video reroll}: a beat from other noise. */
@Command(
        name = "reroll",
        description = {
            "Makes a beat of a project's film again, from other noise, and what comes after it;",
            "what was before it stays as it is."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RerollCommand implements Callable<Integer> {
    @Mixin private ProjectOptions options;

    @Option(names = "--beat", paramLabel = "N", required = true, description = "From 1.")
    private int beat;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of the beat's noise (default: drawn at random).")
    private Long seed;

    @Override
    public Integer call() {
        Project project = options.project();
        long fresh = seed != null ? seed : ThreadLocalRandom.current().nextLong(1L << 32);
        options.make(project.reroll(beat, fresh));
        return ExitCode.DONE;
    }
}
