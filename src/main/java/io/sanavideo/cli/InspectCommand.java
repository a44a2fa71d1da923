package io.sanavideo.cli;

import io.sanavideo.inspect.Inspection;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video inspect}: what is in a file or folder. */
@Command(
        name = "inspect",
        description =
                "Says what is in a safetensors file, a LoRA, a component or model folder, or a clip with its recipe.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class InspectCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "FILE|DIR",
            description = "What to look at; demo is the built-in model.")
    private String path;

    @Option(names = "--json", description = "Prints one JSON object on standard output.")
    private boolean json;

    @Override
    public Integer call() {
        Inspection inspection = Inspection.of(ModelOptions.modelFolder(path));
        if (json) {
            System.out.println(inspection.json());
        } else {
            System.out.print(inspection.text());
        }
        return ExitCode.DONE;
    }
}
