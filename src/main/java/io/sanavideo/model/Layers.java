package io.sanavideo.model;

import java.util.List;
import java.util.function.IntFunction;

/**
 * A network's layers in their order: all in memory, or each loaded when its turn comes and freed
 * behind it, where memory does not hold all of them. The ops are the same, and so are the results.
 */
final class Layers<T> {
    /** Does something with a layer, which may be gone afterwards. */
    @FunctionalInterface
    interface Work<T> {
        void with(T layer, int index);
    }

    /** A layer and the weights that it is made of. */
    record Loaded<T>(T layer, NamedWeights weights) {}

    private final List<T> resident;
    private final int count;
    private final IntFunction<Loaded<T>> source;

    private Layers(List<T> resident, int count, IntFunction<Loaded<T>> source) {
        this.resident = resident;
        this.count = count;
        this.source = source;
    }

    static <T> Layers<T> resident(List<T> layers) {
        return new Layers<>(List.copyOf(layers), layers.size(), null);
    }

    /**
     * @param source loads a layer by its index
     */
    static <T> Layers<T> streamed(int count, IntFunction<Loaded<T>> source) {
        return new Layers<>(null, count, source);
    }

    boolean isStreamed() {
        return resident == null;
    }

    /** A layer that stays in memory. */
    T get(int index) {
        return resident.get(index);
    }

    void forEach(Work<T> work) {
        for (int i = 0; i < count; i++) {
            if (isStreamed()) {
                Loaded<T> loaded = source.apply(i);
                try (NamedWeights weights = loaded.weights()) {
                    work.with(loaded.layer(), i);
                }
            } else {
                work.with(resident.get(i), i);
            }
        }
    }
}
