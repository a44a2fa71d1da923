package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What chunks have left against a reference's: tensors {@code L.vk} [1, heads, headSize, headSize],
 * {@code L.k} [1, heads, headSize] and {@code L.last_frame} [1, width, 1, pixels] of layer L.
 */
public final class StateComparison {
    private StateComparison() {}

    /**
     * @param prefix of the tensors' names
     * @return three of each layer
     */
    public static List<Comparison> of(GoldenTensors golden, String prefix, ChunkState state) {
        List<Comparison> comparisons = new ArrayList<>();
        for (int i = 0; i < state.layers(); i++) {
            String name = prefix + i;
            ChunkState.Layer layer = state.layer(i);
            Tensor frame = layer.lastFrame();
            comparisons.add(compare(golden, name + ".vk", layer.sums().values().toFloats()));
            comparisons.add(compare(golden, name + ".k", layer.sums().keys().toFloats()));
            comparisons.add(
                    compare(
                            golden,
                            name + ".last_frame",
                            ChannelsLast.toChannelsFirst(frame.toFloats(), (int) frame.size(2))));
        }
        return comparisons;
    }

    private static Comparison compare(GoldenTensors golden, String name, float[] output) {
        return Comparison.of(name, output, golden.values(name));
    }
}
