package io.sanavideo.weights;

import io.sanavideo.runtime.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The tensors of a small safetensors file in memory, to be looked at, altered and written. */
public final class EditedTensors {
    /** A tensor's dtype, shape and bytes. */
    private record Content(DType dtype, List<Long> shape, byte[] bytes) {}

    private final Map<String, Content> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>(Map.of("format", "pt"));

    public static EditedTensors read(Path path) {
        EditedTensors edited = new EditedTensors();
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            for (StoredTensor tensor : file.tensors().values()) {
                byte[] bytes = new byte[(int) tensor.bytes()];
                tensor.read(0, ByteBuffer.wrap(bytes));
                edited.put(tensor.name(), tensor.dtype(), tensor.shape(), bytes);
            }
        }
        return edited;
    }

    public Set<String> names() {
        return Set.copyOf(tensors.keySet());
    }

    public boolean has(String name) {
        return tensors.containsKey(name);
    }

    public DType dtype(String name) {
        return content(name).dtype;
    }

    public List<Long> shape(String name) {
        return content(name).shape;
    }

    /** The bytes of a tensor; to change them is to change the tensor. */
    public byte[] bytes(String name) {
        return content(name).bytes;
    }

    /** The first element of an f32 tensor. */
    public float number(String name) {
        return ByteBuffer.wrap(bytes(name)).order(ByteOrder.LITTLE_ENDIAN).getFloat();
    }

    private Content content(String name) {
        Content content = tensors.get(name);
        if (content == null) {
            throw new IllegalArgumentException("there is no tensor " + name);
        }
        return content;
    }

    public EditedTensors put(String name, DType dtype, List<Long> shape, byte[] bytes) {
        tensors.put(name, new Content(dtype, shape, bytes));
        return this;
    }

    /** An f32 tensor. */
    public EditedTensors put(String name, float[] values, Long... shape) {
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return put(name, DType.F32, List.of(shape), bytes.array());
    }

    /** The elements of a tensor as floats. */
    public float[] floats(String name) {
        Content content = content(name);
        ByteBuffer bytes = ByteBuffer.wrap(content.bytes).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[content.bytes.length / content.dtype.bytes()];
        for (int i = 0; i < values.length; i++) {
            values[i] = StoredTensor.nextFloat(content.dtype, bytes);
        }
        return values;
    }

    /** A text of the header. */
    public EditedTensors metadata(String key, String text) {
        metadata.put(key, text);
        return this;
    }

    /** A scalar. */
    public EditedTensors put(String name, float number) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return put(name, DType.F32, List.of(), bytes.putFloat(number).array());
    }

    public EditedTensors remove(String name) {
        content(name);
        tensors.remove(name);
        return this;
    }

    /** Gives every tensor another name. */
    public EditedTensors rename(UnaryOperator<String> change) {
        Map<String, Content> old = new LinkedHashMap<>(tensors);
        tensors.clear();
        old.forEach((name, content) -> tensors.put(change.apply(name), content));
        return this;
    }

    public Path write(Path path) {
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        tensors.forEach(
                (name, content) ->
                        entries.add(
                                new SafetensorsWriter.Entry(name, content.dtype, content.shape)));
        try (SafetensorsWriter writer = new SafetensorsWriter(path, metadata, entries)) {
            tensors.values().forEach(content -> writer.write(ByteBuffer.wrap(content.bytes)));
        }
        return path;
    }
}
