package io.sanavideo.check;

import io.sanavideo.ModelFormatException;
import io.sanavideo.model.GoldenTensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Checks a folder by the {@code golden.safetensors} in it. What it is, it says itself: {@code
 * model_index.json} makes it a whole model, {@code config.json} a component, subfolders with a
 * {@code scheduler_config.json} schedulers, and tensors named {@code seedS.nN} noise.
 */
public final class FolderCheck {
    private FolderCheck() {}

    /**
     * Runs what the folder holds and compares.
     *
     * @return at least one finding
     * @throws ModelFormatException when a file of the folder is missing, broken or does not fit the
     *     others
     * @throws IllegalArgumentException when there is nothing to judge by, or the component or an
     *     option is not supported
     */
    public static CheckReport run(Path folder, CheckOptions options) {
        if (!Files.isDirectory(folder)) {
            throw new ModelFormatException(
                    "%s: %s, expected a folder with %s"
                            .formatted(
                                    folder,
                                    Files.exists(folder) ? "is not a folder" : "does not exist",
                                    GoldenTensors.FILE));
        }
        GoldenCheck check = check(folder);
        if (!Files.exists(folder.resolve(GoldenTensors.FILE))) {
            throw new IllegalArgumentException(
                    "%s: nothing can be judged, since there is no %s with reference outputs in it"
                            .formatted(folder, GoldenTensors.FILE));
        }
        try (GoldenTensors golden = GoldenTensors.open(folder)) {
            if (options.side() != null && !VaeSides.in(golden)) {
                throw new IllegalArgumentException(
                        "%s: --only %s is for the two sides of a VAE; leave it out"
                                .formatted(folder, options.side().name().toLowerCase(Locale.ROOT)));
            }
            return check.run(folder, golden, options);
        }
    }

    private static GoldenCheck check(Path folder) {
        if (Files.exists(folder.resolve("model_index.json"))) {
            return new PipelineCheck();
        }
        if (Files.exists(folder.resolve("config.json"))) {
            return new ModelComponentCheck();
        }
        List<Path> schedulers = SchedulerCheck.folders(folder);
        if (!schedulers.isEmpty()) {
            return new SchedulerCheck(schedulers);
        }
        if (Files.exists(folder.resolve(GoldenTensors.FILE))) {
            return new NoiseCheck();
        }
        throw new ModelFormatException(
                "%s: cannot tell what this is, expected model_index.json, config.json, subfolders with scheduler_config.json, or %s with tensors named seedS.nN"
                        .formatted(folder, GoldenTensors.FILE));
    }
}
