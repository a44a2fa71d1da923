package io.sanavideo.model;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

/**
 * Runs a component on the inputs of its {@code golden.safetensors} and compares what comes out with
 * what stands there. Every sample of the batch is run; an output's error is that of all samples
 * together.
 */
public interface ComponentCheck {
    /** What kind of component this is, in words. */
    String component();

    /**
     * Compares outputs.
     *
     * @param folder the component: {@code config.json}, weights and {@code golden.safetensors}
     * @param intermediate whether to compare the tensors called {@code mid.*} as well
     * @param wanted of an output's name: whether it is to be compared; what no such output needs is
     *     not run
     * @return outputs first; intermediate tensors keep their {@code mid.}, and those that the
     *     component does not show are left out
     */
    List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted);

    /** Outputs that a golden file may hold and that no part of this version computes. */
    default List<String> notBuilt() {
        return List.of();
    }

    /**
     * The check of a component folder, by {@code _class_name} or {@code architectures} of its
     * {@code config.json}.
     *
     * @throws ModelFormatException when the config cannot be read or names no class
     * @throws IllegalArgumentException when its class is not a component of a model known here
     */
    static ComponentCheck of(Path folder) {
        Json json = Json.read(folder.resolve("config.json"));
        String name = json.optionalText("_class_name", "");
        if (name.isEmpty() && json.has("architectures")) {
            String[] architectures = json.requiredTexts("architectures");
            name = architectures.length == 0 ? "" : architectures[0];
        }
        if (TransformerConfig.names(name)) {
            return ChunksCheck.hasVectors(folder) ? new ChunksCheck() : new TransformerCheck();
        }
        if (Gemma2Config.names(name)) {
            return new Gemma2Check();
        }
        if (WanVaeConfig.CLASS.equals(name)) {
            return new WanVaeCheck();
        }
        if (LtxVaeConfig.CLASS.equals(name)) {
            return new LtxVaeCheck();
        }
        if (name.isEmpty()) {
            throw json.unexpected("_class_name", "a component's class, or 'architectures'");
        }
        throw new IllegalArgumentException(
                "%s: class '%s' is not supported, expected a SANA-Video transformer, a Wan or LTX-2 VAE or a Gemma-2 encoder"
                        .formatted(json.source(), name));
    }
}
