package io.sanavideo.quantize;

import io.sanavideo.NumericsException;
import io.sanavideo.model.Nvfp4Tensors;
import io.sanavideo.model.TransformerLayer;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.StoredTensor;

/** The weights of a dense transformer's layers, one at a time. */
final class DenseLayers {
    private final Checkpoint checkpoint;

    DenseLayers(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /**
     * The rows of all parts of a layer, [out, taps, in].
     *
     * @throws NumericsException when an element is NaN or infinite
     */
    float[] weight(TransformerLayer layer) {
        float[] weight = new float[Math.toIntExact(layer.elements())];
        int partElements = weight.length / layer.parts().size();
        for (int i = 0; i < layer.parts().size(); i++) {
            StoredTensor stored = checkpoint.require(Nvfp4Tensors.codes(layer.parts().get(i)));
            float[] part = stored.toFloats();
            requireFinite(stored, part);
            put(part, layer, weight, i * partElements);
        }
        return weight;
    }

    /** From [out, in, taps], as convolutions are stored. */
    private static void put(float[] part, TransformerLayer layer, float[] weight, int first) {
        int taps = layer.taps();
        int in = layer.in();
        if (taps == 1) {
            System.arraycopy(part, 0, weight, first, part.length);
            return;
        }
        for (int i = 0; i < part.length; i++) {
            int tap = i % taps;
            int channel = i / taps % in;
            int row = i / taps / in;
            weight[first + (row * taps + tap) * in + channel] = part[i];
        }
    }

    private static void requireFinite(StoredTensor stored, float[] values) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new NumericsException(
                        "%s: tensor '%s': element %d is %s, expected a finite number"
                                .formatted(stored.file().path(), stored.name(), i, values[i]));
            }
        }
    }
}
