package io.sanavideo.weights;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;

/** A LoRA of random numbers, and what it adds to weights by hand. */
public final class RandomLora {
    /** Of B, so that a layer's output changes by a few percent. */
    private static final double STRENGTH = 0.05;

    /** Matrices of a layer: up is [out, rank], down [rank, in]. */
    private record Matrices(int out, int rank, int in, float[] down, float[] up) {}

    private final Random random;
    private final EditedTensors tensors = new EditedTensors();
    private final Map<String, Matrices> matrices = new LinkedHashMap<>();

    public RandomLora(long seed) {
        random = new Random(seed);
    }

    /** One for products of the demo model and of models with its widths. */
    public static RandomLora ofBlock(long seed, int block, int rank) {
        String name = "transformer_blocks." + block + ".";
        RandomLora lora = new RandomLora(seed);
        for (String projection : List.of("to_q", "to_v", "to_out.0")) {
            lora.layer(name + "attn1." + projection, 128, rank, 128L);
        }
        for (String projection : List.of("to_q", "to_k", "to_out.0")) {
            lora.layer(name + "attn2." + projection, 128, rank + 1, 128L);
        }
        return lora.layer(name + "ff.conv_inverted", 768, rank, 128L, 1L, 1L)
                .layer(name + "ff.conv_point", 128, rank, 384L, 1L, 1L);
    }

    /**
     * Adds a layer, by PEFT's keys.
     *
     * @param in its weight's dimensions after the first
     */
    public RandomLora layer(String name, int out, int rank, Long... in) {
        int columns = (int) Arrays.stream(in).mapToLong(size -> size).reduce(1, (a, b) -> a * b);
        float[] down = normal(rank * columns, 1 / Math.sqrt(columns));
        float[] up = normal(out * rank, STRENGTH);
        matrices.put(name, new Matrices(out, rank, columns, down, up));
        String key = "transformer." + name;
        tensors.put(
                key + ".lora_A.weight",
                down,
                Stream.concat(Stream.of((long) rank), Stream.of(in)).toArray(Long[]::new));
        List<Long> upShape = new ArrayList<>(List.of((long) out, (long) rank));
        for (int i = 1; i < in.length; i++) {
            upShape.add(1L);
        }
        tensors.put(key + ".lora_B.weight", up, upShape.toArray(Long[]::new));
        return this;
    }

    private float[] normal(int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }

    public List<String> layers() {
        return List.copyOf(matrices.keySet());
    }

    /** The tensors of the file. */
    public EditedTensors tensors() {
        return tensors;
    }

    public float[] down(String layer) {
        return matrices.get(layer).down;
    }

    public float[] up(String layer) {
        return matrices.get(layer).up;
    }

    public Path write(Path path) {
        return tensors.write(path);
    }

    /** Adds factor * B A to weights, in double precision. */
    public void addTo(EditedTensors weights, double factor) {
        addTo(weights, rank -> factor);
    }

    /** As the other, to these layers alone. */
    public void addTo(EditedTensors weights, List<String> layers, double factor) {
        Map<String, Matrices> all = new LinkedHashMap<>(matrices);
        matrices.keySet().retainAll(layers);
        addTo(weights, factor);
        matrices.putAll(all);
    }

    /**
     * As the other.
     *
     * @param factor of layers of a rank
     */
    public void addTo(EditedTensors weights, IntToDoubleFunction factor) {
        matrices.forEach(
                (name, layer) -> {
                    double by = factor.applyAsDouble(layer.rank);
                    String weight = name + ".weight";
                    float[] values = weights.floats(weight);
                    for (int row = 0; row < layer.out; row++) {
                        for (int column = 0; column < layer.in; column++) {
                            double sum = 0;
                            for (int i = 0; i < layer.rank; i++) {
                                sum +=
                                        (double) layer.up[row * layer.rank + i]
                                                * layer.down[i * layer.in + column];
                            }
                            values[row * layer.in + column] += by * sum;
                        }
                    }
                    weights.put(weight, values, weights.shape(weight).toArray(Long[]::new));
                });
    }
}
