package io.sanavideo.cli;

import io.sanavideo.model.RandomModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video random-model}: a model folder with random weights. */
@Command(
        name = "random-model",
        description = "Writes a full-size model folder with random bf16 weights, to measure with.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RandomModelCommand implements Callable<Integer> {
    private static final int COLUMNS = 78;
    private static final long MILLION = 1_000_000;

    @Parameters(
            paramLabel = "480p|720p|CONFIG_DIR",
            description = "A released model's shape, or a model folder whose config files to take.")
    private String shape;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            required = true,
            description = "An empty or new folder.")
    private Path output;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "The same seed makes the same bytes (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    public Integer call() {
        RandomModel model = model();
        try (ProgressBar bar = bar(model.parameters())) {
            model.write(output, seed, bar::stepTo);
        }
        System.out.println(
                String.format(
                        Locale.ROOT,
                        "%s: %,d parameters, %.2f GB, seed %d",
                        output,
                        model.parameters(),
                        TextDisplay.bytes(output) / 1e9,
                        seed));
        return ExitCode.DONE;
    }

    private RandomModel model() {
        if (RandomModel.BUILT_IN.contains(shape)) {
            return RandomModel.builtIn(shape);
        }
        Path folder = ModelOptions.modelFolder(shape);
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(
                    "'%s' is no folder, expected one with config files, or one of %s"
                            .formatted(shape, RandomModel.BUILT_IN));
        }
        return RandomModel.of(folder);
    }

    private static ProgressBar bar(long parameters) {
        return new ProgressBarBuilder()
                .setTaskName("write")
                .setInitialMax(parameters)
                .setUnit("M", MILLION)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, COLUMNS))
                .build();
    }
}
