package io.sanavideo.model;

import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;

/**
 * A product of a block with its weight, in the precision that the model's policy gives it. What
 * makes its input asks it in which form: dense rows, NVFP4 rows, or both where a branch of low rank
 * reads the dense ones.
 */
final class Projection {
    private final TransformerLayer layer;
    private final Weight weight;
    private final float inputScale;
    private final LowRankBranch branch;

    private Projection(
            TransformerLayer layer, Weight weight, float inputScale, LowRankBranch branch) {
        this.layer = layer;
        this.weight = weight;
        this.inputScale = inputScale;
        this.branch = branch;
    }

    /**
     * @throws IllegalArgumentException when the policy asks for what the checkpoint does not hold
     * @throws ModelFormatException when a LoRA adapts what it cannot
     */
    static Projection load(NamedWeights weights, LayerPolicy policy, TransformerLayer layer) {
        LayerPrecision precision = precision(weights, policy, layer);
        if (!precision.packsWeights()) {
            String[] names =
                    layer.parts().stream().map(part -> part + ".weight").toArray(String[]::new);
            boolean beside = weights.loras().atRun() && layer.kind() == WeightKind.LINEAR;
            return beside
                    ? new Projection(
                            layer,
                            weights.storedWeight(layer.kind(), names),
                            0,
                            LowRankBranch.load(weights, layer))
                    : new Projection(layer, weights.weight(layer.kind(), names), 0, null);
        }
        if (layer.kind() != WeightKind.LINEAR) {
            weights.loras().requireNone(layer, weights.folder());
        }
        float inputScale = 0;
        if (precision == LayerPrecision.NVFP4) {
            inputScale = inputScale(weights, layer);
        }
        LowRankBranch branch = LowRankBranch.load(weights, layer);
        return new Projection(layer, weights.nvfp4Weight(layer), inputScale, branch);
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
        return !takesQuantized(denseStep) || branch != null;
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
        if (branch == null) {
            multiplyOnce(ops, input, epilogue, out);
            return;
        }
        Tensor in = input.dense;
        try (Tensor lowRank = out.context().scratch(out.dtype(), in.size(0), branch.rank())) {
            ops.linear(in, branch.down(), Epilogue.NONE, lowRank);
            if (weight.isNvfp4()) {
                multiplyOnce(ops, input, epilogue.lowRank(lowRank, branch.up()), out);
            } else {
                addDense(ops, in, lowRank, epilogue, out);
            }
        }
    }

    /** Dense products cannot fuse a branch: it is computed first, and the product added to it. */
    private void addDense(Ops ops, Tensor in, Tensor lowRank, Epilogue epilogue, Tensor out) {
        if (epilogue.residual() != null) {
            try (Tensor sum = out.context().scratch(out.dtype(), out.shape())) {
                addDense(ops, in, lowRank, Epilogue.NONE, sum);
                ops.finishProduct(sum, epilogue, out);
            }
            return;
        }
        ops.linear(lowRank, branch.up(), Epilogue.NONE, out);
        if (epilogue.activation() == Activation.NONE && epilogue.gate() == null) {
            ops.linear(in, weight, epilogue.residual(out), out);
        } else {
            ops.linear(in, weight, Epilogue.NONE.residual(out), out);
            ops.finishProduct(out, epilogue, out);
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
     * @param previous the frame before the first, [1, pixels, channels]; null for zeros, which is
     *     all there can be where the input is NVFP4
     */
    void convolve(
            Ops ops, Input input, Tensor identity, Tensor previous, Epilogue epilogue, Tensor out) {
        if (input.quantized != null) {
            ops.nvfp4TemporalConvolution(input.quantized, identity, weight, epilogue, out);
        } else {
            ops.temporalConvolution(identity, previous, weight, epilogue, out);
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
