package io.sanavideo.cli;

import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.Model;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say what a model is adapted by. */
final class LoraOptions {
    @Option(
            names = "--lora",
            paramLabel = "FILE[:SCALE]",
            description =
                    "Adapts the transformer by a LoRA, a .safetensors file, at its full strength or times SCALE. May be given several times: what they change adds up.")
    private List<String> loras = new ArrayList<>();

    @Option(
            names = "--lora-mode",
            paramLabel = "merge|run",
            defaultValue = "merge",
            description =
                    "How (default: ${DEFAULT-VALUE}): added to dense weights when they are loaded, and beside NVFP4 weights at each step; or beside all weights at each step.")
    private String mode;

    /**
     * A model with these LoRAs.
     *
     * @throws IllegalArgumentException when an option has a value that it cannot have
     */
    Model adapted(Model model) {
        return model.withLoras(loras.stream().map(Lora::parse).toList())
                .withLoraMode(LoraMode.parse(mode));
    }
}
