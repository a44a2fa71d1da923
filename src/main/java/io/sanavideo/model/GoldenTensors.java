package io.sanavideo.model;

import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.StoredTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Inputs and reference outputs of a component, {@code golden.safetensors} in its folder, taken one
 * sample of the batch at a time.
 */
public final class GoldenTensors implements AutoCloseable {
    /** The file's name in a component folder. */
    public static final String FILE = "golden.safetensors";

    private final SafetensorsFile file;

    private GoldenTensors(SafetensorsFile file) {
        this.file = file;
    }

    /**
     * Opens the file of a folder.
     *
     * @throws ModelFormatException when there is none or it is broken
     */
    public static GoldenTensors open(Path folder) {
        return new GoldenTensors(SafetensorsFile.open(folder.resolve(FILE)));
    }

    /** Opens vectors under another name than {@link #FILE}. */
    public static GoldenTensors openFile(Path file) {
        return new GoldenTensors(SafetensorsFile.open(file));
    }

    /** The file's own texts, such as the prompt of a pipeline's vectors. */
    public Map<String, String> metadata() {
        return file.metadata();
    }

    /** The names of all tensors, in the order of the file. */
    public Set<String> names() {
        return file.tensors().keySet();
    }

    public boolean has(String name) {
        return names().contains(name);
    }

    /**
     * The tensor's shape, batch first.
     *
     * @throws ModelFormatException when it is missing or has another number of dimensions
     */
    public int[] shape(String name, int... ranks) {
        StoredTensor tensor = tensor(name);
        List<Long> shape = tensor.shape();
        if (Arrays.stream(ranks).noneMatch(rank -> rank == shape.size())) {
            throw new ModelFormatException(
                    "%s: tensor '%s' has shape %s, expected %s dimensions"
                            .formatted(file.path(), name, shape, Arrays.toString(ranks)));
        }
        return shape.stream().mapToInt(Math::toIntExact).toArray();
    }

    /** All elements, whatever their type. */
    public float[] values(String name) {
        return tensor(name).toFloats();
    }

    /**
     * The elements of one sample of the batch.
     *
     * @throws ModelFormatException when the tensor is missing or has no such sample
     */
    public float[] sample(String name, int index) {
        StoredTensor tensor = tensor(name);
        long samples = tensor.shape().isEmpty() ? 0 : tensor.shape().get(0);
        if (index >= samples) {
            throw new ModelFormatException(
                    "%s: tensor '%s' has shape %s, expected a sample %d"
                            .formatted(file.path(), name, tensor.shape(), index));
        }
        int size = Math.toIntExact(tensor.elements() / samples);
        return Arrays.copyOfRange(tensor.toFloats(), index * size, (index + 1) * size);
    }

    /**
     * The rows of one sample [rows, channels] at which its mask [rows] is not 0.
     *
     * @return [kept rows, channels]
     * @throws IllegalArgumentException when the mask is not one number a row
     */
    public static float[] keep(float[] rows, float[] mask) {
        if (mask.length == 0 || rows.length % mask.length != 0) {
            throw new IllegalArgumentException(
                    "a mask of %d rows was given for %d values, expected one number a row"
                            .formatted(mask.length, rows.length));
        }
        int channels = rows.length / mask.length;
        float[] kept = new float[rows.length];
        int count = 0;
        for (int row = 0; row < mask.length; row++) {
            if (mask[row] != 0) {
                System.arraycopy(rows, row * channels, kept, count++ * channels, channels);
            }
        }
        return Arrays.copyOf(kept, count * channels);
    }

    /** Joins what was computed of each sample. */
    static float[] concatenate(List<float[]> samples) {
        int length = samples.stream().mapToInt(sample -> sample.length).sum();
        float[] all = new float[length];
        int filled = 0;
        for (float[] sample : samples) {
            System.arraycopy(sample, 0, all, filled, sample.length);
            filled += sample.length;
        }
        return all;
    }

    private StoredTensor tensor(String name) {
        StoredTensor tensor = file.tensors().get(name);
        if (tensor == null) {
            throw new ModelFormatException(
                    "%s: missing tensor '%s', expected inputs and outputs of the component"
                            .formatted(file.path(), name));
        }
        return tensor;
    }

    @Override
    public void close() {
        file.close();
    }
}
