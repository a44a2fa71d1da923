package io.sanavideo.cli;

import io.sanavideo.Kernels;
import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.Model;
import io.sanavideo.Precision;
import io.sanavideo.SanaVideo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say which model runs where; shared by the commands that run one. */
final class ModelOptions extends DeviceOptions {
    private static final String DEMO = "demo";
    private static final Pattern SIZE = Pattern.compile("(\\d+(?:\\.\\d+)?)([KMGTkmgt])");

    @Option(
            names = "--dtype",
            paramLabel = "f32|bf16|auto",
            defaultValue = "auto",
            description = "What weights and activations are (default: ${DEFAULT-VALUE}).")
    private String dtype;

    @Option(
            names = "--precision",
            paramLabel = "bf16|nvfp4|nvfp4-weights|FILE",
            description = {
                "Which layers of a quantised model run in what: as its own policy says (default),",
                "but at most this; or a policy of one's own."
            })
    private String layers;

    @Option(
            names = "--trust",
            description = "Runs a quantised model without a receipt that fits its weights.")
    private boolean trusted;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description = {
                "Of the device's memory, such as 8G or 500M (default: what is free). What does not",
                "fit together is loaded in turn, or layer by layer, or decoded tile by tile."
            })
    private String memory;

    @Mixin private TileOption tile;

    Precision precision() {
        return Precision.parse(dtype);
    }

    /** The model in a folder, as these options want it. */
    Model model(Path folder, Kernels kernels) {
        Model model =
                Model.at(folder, device())
                        .withPrecision(precision())
                        .withLayers(policy())
                        .withKernels(kernels)
                        .withTile(tile.pixels());
        if (memory != null) {
            model = model.withMemory(bytes(memory));
        }
        return trusted ? model.withoutReceipt() : model;
    }

    /** Reads a number with K, M, G or T behind it, thousands, millions and so on of bytes. */
    static long bytes(String size) {
        Matcher parts = SIZE.matcher(size);
        double bytes = 0;
        if (parts.matches()) {
            int thousands = 1 + "KMGT".indexOf(parts.group(2).toUpperCase(Locale.ROOT));
            bytes = Double.parseDouble(parts.group(1)) * Math.pow(1000, thousands);
        }
        if (bytes < 1) {
            throw new IllegalArgumentException(
                    "--memory is '%s', expected a number above 0 with K, M, G or T, such as 8G"
                            .formatted(size));
        }
        return (long) bytes;
    }

    private LayerPolicy policy() {
        if (layers == null) {
            return LayerPolicy.OF_MODEL;
        }
        if (LayerPrecision.labels().contains(layers)) {
            return LayerPolicy.atMost(LayerPrecision.parse(layers));
        }
        Path file = Path.of(layers);
        if (!Files.exists(file)) {
            throw new IllegalArgumentException(
                    "--precision is '%s', expected one of %s or a file that exists"
                            .formatted(layers, LayerPrecision.labels()));
        }
        return LayerPolicy.read(file);
    }

    /** The folder of a model: {@code demo} names the built-in one. */
    static Path modelFolder(String name) {
        return name.equals(DEMO) ? SanaVideo.demoModel() : Path.of(name);
    }
}
