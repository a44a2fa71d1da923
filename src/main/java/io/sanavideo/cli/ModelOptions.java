package io.sanavideo.cli;

import io.sanavideo.Precision;
import io.sanavideo.SanaVideo;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say which model runs where; shared by the commands that run one. */
final class ModelOptions extends DeviceOptions {
    private static final String DEMO = "demo";

    @Option(
            names = "--dtype",
            paramLabel = "f32|bf16|auto",
            defaultValue = "auto",
            description = "What weights and activations are (default: ${DEFAULT-VALUE}).")
    private String dtype;

    Precision precision() {
        return Precision.parse(dtype);
    }

    /** The folder of a model: {@code demo} names the built-in one. */
    static Path modelFolder(String name) {
        return name.equals(DEMO) ? SanaVideo.demoModel() : Path.of(name);
    }
}
