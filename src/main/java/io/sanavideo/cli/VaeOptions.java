package io.sanavideo.cli;

import io.sanavideo.Device;
import io.sanavideo.LatentCodec;
import io.sanavideo.Model;
import io.sanavideo.Precision;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whose VAE runs where, and how that is shown; {@code encode} and {@code decode} share them. */
final class VaeOptions {
    @Option(
            names = "--model",
            paramLabel = "DIR",
            defaultValue = "demo",
            description =
                    "A model folder in the diffusers layout (default: ${DEFAULT-VALUE}, the built-in one).")
    private String model;

    @Option(
            names = "--dtype",
            paramLabel = "auto|bf16|f32",
            defaultValue = "auto",
            description = "What weights and activations are (default: ${DEFAULT-VALUE}).")
    private String dtype;

    @Option(names = "--quiet", description = "Prints nothing but errors.")
    private boolean quiet;

    @Mixin private DeviceOptions device;

    Display display() {
        return Display.of(false, quiet);
    }

    LatentCodec open(Display display, int tile) {
        Device chosen = device.device();
        display.device(chosen, device.whyNotCuda());
        return LatentCodec.open(
                Model.at(ModelOptions.modelFolder(model), chosen)
                        .withPrecision(Precision.parse(dtype))
                        .withTile(tile));
    }

    /** A closing line on standard output. */
    void print(String line) {
        if (!quiet) {
            System.out.println(line);
        }
    }
}
