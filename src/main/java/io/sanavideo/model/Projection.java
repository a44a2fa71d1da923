package io.sanavideo.model;

import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;

/**
 * A product of a block with its weight, in the precision that the model's policy gives it. What
 * makes its input asks it in which form: dense rows, NVFP4 rows, or both where a low-rank
 * correction reads the dense ones.
 */
final class Projection {
    private final TransformerLayer layer;
    private final Weight weight;
    private final float inputScale;
    private final Weight lowRankDown;
    private final Weight lowRankUp;

    private Projection(
            TransformerLayer layer, Weight weight, float inputScale, Weight down, Weight up) {
        this.layer = layer;
        this.weight = weight;
        this.inputScale = inputScale;
        lowRankDown = down;
        lowRankUp = up;
    }

    /**
     * @throws IllegalArgumentException when the policy asks for what the checkpoint does not hold
     */
    static Projection load(NamedWeights weights, LayerPolicy policy, TransformerLayer layer) {
        LayerPrecision precision = precision(weights, policy, layer);
        if (!precision.packsWeights()) {
            Weight dense =
                    weights.weight(
                            layer.kind(),
                            layer.parts().stream().map(Nvfp4Tensors::codes).toArray(String[]::new));
            return new Projection(layer, dense, 0, null, null);
        }
        float inputScale = 0;
        if (precision == LayerPrecision.NVFP4) {
            inputScale = inputScale(weights, layer);
        }
        Weight down = null;
        Weight up = null;
        if (weights.has(Nvfp4Tensors.lowRankDown(layer.name()))) {
            down = weights.weight(WeightKind.LINEAR, Nvfp4Tensors.lowRankDown(layer.name()));
            up =
                    weights.weight(
                            WeightKind.LINEAR,
                            layer.parts().stream()
                                    .map(Nvfp4Tensors::lowRankUp)
                                    .toArray(String[]::new));
        }
        return new Projection(layer, weights.nvfp4Weight(layer), inputScale, down, up);
    }

    private static LayerPrecision precision(
            NamedWeights weights, LayerPolicy policy, TransformerLayer layer) {
        LayerPrecision precision = layer.precision(policy);
        boolean stored = weights.has(Nvfp4Tensors.scales(layer.name()));
        if (precision.packsWeights() && !stored) {
            throw new IllegalArgumentException(
                    "the policy gives '%s' %s, but %s holds it dense: sana-video quantize makes NVFP4 weights"
                            .formatted(layer.name(), precision.label(), weights.folder()));
        }
        if (!precision.packsWeights() && stored) {
            throw new IllegalArgumentException(
                    "the policy gives '%s' bf16, but %s holds it as NVFP4, expected nvfp4 or nvfp4-weights"
                            .formatted(layer.name(), weights.folder()));
        }
        return precision;
    }

    private static float inputScale(NamedWeights weights, TransformerLayer layer) {
        String name = Nvfp4Tensors.inputScale(layer.name());
        if (!weights.has(name)) {
            throw new IllegalArgumentException(
                    "the policy gives '%s' nvfp4, but %s has no '%s': quantize with --calibrate, or run nvfp4-weights"
                            .formatted(layer.name(), weights.folder(), name));
        }
        float scale = weights.scalar(name);
        if (!(scale > 0) || Float.isInfinite(scale)) {
            throw new ModelFormatException(
                    "%s: '%s' is %s, expected a finite number above 0"
                            .formatted(weights.folder(), name, scale));
        }
        return scale;
    }

    /** Whether its input is multiplied as NVFP4. */
    boolean takesQuantized(boolean denseStep) {
        return inputScale > 0 && !denseStep;
    }

    /** Whether its input is needed as dense rows. */
    boolean takesDense(boolean denseStep) {
        return !takesQuantized(denseStep) || lowRankDown != null;
    }

    /** The global scale of its input. */
    float inputScale() {
        return inputScale;
    }

    /**
     * A linear layer's product.
     *
     * @param input in the forms that it takes
     */
    void multiply(Ops ops, Input input, Epilogue epilogue, Tensor out) {
        if (lowRankDown == null) {
            multiplyOnce(ops, input, epilogue, out);
            return;
        }
        long rank = lowRankDown.shape()[0];
        try (Tensor lowRank = out.context().scratch(out.dtype(), input.dense.size(0), rank)) {
            ops.linear(input.dense, lowRankDown, Epilogue.NONE, lowRank);
            multiplyOnce(ops, input, epilogue.lowRank(lowRank, lowRankUp), out);
        }
    }

    private void multiplyOnce(Ops ops, Input input, Epilogue epilogue, Tensor out) {
        if (input.quantized != null) {
            ops.nvfp4Linear(input.quantized, weight, epilogue, out);
        } else {
            ops.linear(input.dense, weight, epilogue, out);
        }
    }

    /**
     * A temporal convolution.
     *
     * @param input in the forms that it takes
     * @param identity what is added to it, its input as dense rows: [1, frames, pixels, channels]
     */
    void convolve(Ops ops, Input input, Tensor identity, Epilogue epilogue, Tensor out) {
        if (input.quantized != null) {
            ops.nvfp4TemporalConvolution(input.quantized, identity, weight, epilogue, out);
        } else {
            ops.temporalConvolution(identity, null, weight, epilogue, out);
        }
    }

    /** Whether its epilogue can quantise what it stores. */
    boolean quantizesOutput() {
        return weight.isNvfp4();
    }

    TransformerLayer layer() {
        return layer;
    }

    /**
     * Rows that a layer multiplies.
     *
     * @param dense [rows, channels]; null where they are needed as NVFP4 alone
     * @param quantized null where they are multiplied as they are
     */
    record Input(Tensor dense, Nvfp4Matrix quantized) {}
}
