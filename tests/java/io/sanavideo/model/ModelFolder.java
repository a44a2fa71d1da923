package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.SafetensorsWriter;
import io.sanavideo.weights.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** A copy of a component folder, to be changed before it is loaded. */
final class ModelFolder {
    private record Values(List<Long> shape, float[] elements) {}

    private final Path source;
    private final String weights;
    private final Map<String, Values> tensors = new LinkedHashMap<>();
    private String config;

    private ModelFolder(Path source) throws IOException {
        this.source = source;
        boolean transformers = Files.exists(source.resolve("model.safetensors"));
        weights = transformers ? "model.safetensors" : "diffusion_pytorch_model.safetensors";
        config = Files.readString(source.resolve("config.json"));
        try (SafetensorsFile file = SafetensorsFile.open(source.resolve(weights))) {
            for (StoredTensor tensor : file.tensors().values()) {
                tensors.put(tensor.name(), new Values(tensor.shape(), tensor.toFloats()));
            }
        }
    }

    static ModelFolder of(Path source) throws IOException {
        return new ModelFolder(source);
    }

    ModelFolder config(String text, String replacement) {
        if (!config.contains(text)) {
            throw new IllegalArgumentException(text + " is not in the config");
        }
        config = config.replace(text, replacement);
        return this;
    }

    ModelFolder rename(UnaryOperator<String> name) {
        Map<String, Values> old = new LinkedHashMap<>(tensors);
        tensors.clear();
        old.forEach((key, values) -> tensors.put(name.apply(key), values));
        return this;
    }

    ModelFolder put(String name, float[] elements, Long... shape) {
        tensors.put(name, new Values(List.of(shape), elements));
        return this;
    }

    ModelFolder remove(String name) {
        tensors.remove(name);
        return this;
    }

    /** Writes everything as F32, beside a copy of the golden tensors. */
    Path write(Path folder) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        Files.copy(source.resolve(GoldenTensors.FILE), folder.resolve(GoldenTensors.FILE));
        List<SafetensorsWriter.Entry> entries =
                tensors.entrySet().stream()
                        .map(
                                tensor ->
                                        new SafetensorsWriter.Entry(
                                                tensor.getKey(),
                                                DType.F32,
                                                tensor.getValue().shape()))
                        .toList();
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder.resolve(weights), Map.of(), entries)) {
            for (Values values : tensors.values()) {
                ByteBuffer bytes =
                        ByteBuffer.allocate(values.elements().length * Float.BYTES)
                                .order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(values.elements());
                writer.write(bytes);
            }
        }
        return folder;
    }
}
