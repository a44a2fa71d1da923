package io.sanavideo.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sana-video resume}: a film that was not made to its end. */
@Command(
        name = "resume",
        description = {
            "Goes on with the film of a project after its last chunk that was done, or joins it anew.",
            "Its story.yaml may have been edited: chunks that were asked to be the same are kept."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ResumeCommand implements Callable<Integer> {
    @Mixin private ProjectOptions options;

    @Override
    public Integer call() {
        options.make(options.project());
        return ExitCode.DONE;
    }
}
