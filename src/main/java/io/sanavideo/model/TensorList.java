package io.sanavideo.model;

import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.Checkpoint;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names and shapes of all tensors of a model, as its configuration demands them. */
final class TensorList {
    /**
     * Far more layers than any model has, on any of its levels; a broken configuration must not
     * fill the heap with names.
     */
    static final int MOST_LAYERS = 1000;

    /** Likewise the sizes that a picture is brought to and from; each halves it. */
    static final int MOST_LEVELS = 16;

    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    void add(String name, long... shape) {
        shapes.put(name, shape);
    }

    /** The weight of a layer, and its bias: one value an output, of which there are shape[0]. */
    void addWithBias(String name, long... shape) {
        add(name + ".weight", shape);
        add(name + ".bias", shape[0]);
    }

    Map<String, long[]> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    /** The shape of a tensor of this list. */
    long[] shape(String name) {
        return shapes.get(name);
    }

    /** The number of elements of all tensors together. */
    long elements() {
        return shapes.values().stream().mapToLong(TensorList::elements).sum();
    }

    static long elements(long... shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /**
     * Requires these tensors and no others.
     *
     * @throws ModelFormatException when a tensor is missing, has another shape or is not expected
     */
    void verify(Checkpoint checkpoint) {
        shapes.forEach(checkpoint::require);
        List<String> unexpected =
                checkpoint.names().stream().filter(name -> !shapes.containsKey(name)).toList();
        if (!unexpected.isEmpty()) {
            throw new ModelFormatException(
                    "%s: unexpected tensor '%s' (%d such), expected the %d tensors that config.json describes"
                            .formatted(
                                    checkpoint.folder(),
                                    unexpected.get(0),
                                    unexpected.size(),
                                    shapes.size()));
        }
    }
}
