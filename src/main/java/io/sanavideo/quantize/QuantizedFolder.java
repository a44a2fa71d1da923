package io.sanavideo.quantize;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.LayerPolicy;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.TransformerLayer;
import io.sanavideo.pipeline.ModelFolder;
import io.sanavideo.runtime.Native;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.ContentHash;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The folder of a model that is being quantised: all but the transformer's weights is copied. */
final class QuantizedFolder {
    private static final String TRANSFORMER = "transformer";
    private static final String MODEL_OPT = "hf_quant_config.json";

    private final ModelFolder dense;
    private final Path root;

    QuantizedFolder(ModelFolder dense, Path root) {
        this.dense = dense;
        this.root = root;
    }

    Path transformer() {
        return root.resolve(TRANSFORMER);
    }

    Path weights() {
        return transformer().resolve(QuantizedTransformer.WEIGHTS);
    }

    /** SHA-256 of the transformer's weights. */
    String hash() {
        try (Checkpoint checkpoint = Checkpoint.open(transformer())) {
            return ContentHash.of(checkpoint);
        }
    }

    void requireEmpty() {
        if (root.toAbsolutePath()
                .normalize()
                .startsWith(dense.root().toAbsolutePath().normalize())) {
            throw new IllegalArgumentException(
                    "%s is in the model's own folder; name one that is not".formatted(root));
        }
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> entries = Files.list(root)) {
            if (entries.findAny().isPresent()) {
                throw new IllegalArgumentException(
                        root + " is not empty; name a folder that is empty or new");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(root + ": cannot be listed: " + e, e);
        }
    }

    /** Deletes the folder, which was empty or not there, after a failure. */
    void clear() {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> written = Files.walk(root)) {
            for (Path path : (Iterable<Path>) written.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        } catch (IOException | UncheckedIOException e) {
            // What led here is being reported; without a receipt what is left is not taken.
        }
    }

    /** Copies the other components, and says which layers are quantised. */
    void writeSmallFiles(LayerPolicy policy, List<TransformerLayer> layers) {
        try (Stream<Path> files = Files.walk(dense.root())) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                Path relative = dense.root().relativize(file);
                if (!isTransformerWeights(relative)) {
                    Path copy = root.resolve(relative.toString());
                    Files.createDirectories(copy.getParent());
                    Files.copy(file, copy);
                }
            }
            Files.writeString(
                    transformer().resolve(SanaTransformer.POLICY),
                    policy.json().toPrettyString() + "\n");
            Files.writeString(transformer().resolve(MODEL_OPT), modelOpt(policy, layers));
        } catch (IOException e) {
            throw new UncheckedIOException(root + ": cannot be written: " + e, e);
        }
    }

    private static boolean isTransformerWeights(Path file) {
        String name = file.getFileName().toString();
        return file.startsWith(TRANSFORMER)
                && (name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json"));
    }

    /** What tools that read ModelOpt's checkpoints look for. */
    private static String modelOpt(LayerPolicy policy, List<TransformerLayer> layers) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.putObject("producer").put("name", "sana-video").put("version", Native.version());
        ObjectNode quantization =
                json.putObject("quantization").put("quant_algo", "NVFP4").put("group_size", 16);
        quantization.putNull("kv_cache_quant_algo");
        ArrayNode dense = quantization.putArray("exclude_modules");
        layers.stream()
                .filter(layer -> !policy.of(layer.name()).packsWeights())
                .flatMap(layer -> layer.parts().stream())
                .forEach(dense::add);
        return json.toPrettyString() + "\n";
    }
}
