package io.sanavideo.model;

import io.sanavideo.LayerPolicy;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.WeightKind;
import java.nio.file.Path;

/**
 * Products of one layer of a dense transformer and of its quantised one with the same inputs, both
 * in f32 otherwise. A layer is loaded for as long as it is compared.
 *
 * @param context a CPU
 * @param dense the folder of the dense transformer
 * @param quantized the folder of the quantised one
 */
public record LayerComparison(Context context, Path dense, Path quantized) {
    /** A product, without bias, of one of the two. */
    private record Loaded(NamedWeights weights, Projection projection) implements AutoCloseable {
        @Override
        public void close() {
            weights.close();
        }
    }

    /**
     * L2 of the difference of the products by L2 of the dense one.
     *
     * @param inputs [rows, channels]; of a temporal convolution [1, frames, pixels, channels]
     */
    public double error(TransformerConfig config, TransformerLayer layer, Tensor inputs) {
        float[] right = product(load(dense, config, layer), inputs);
        float[] other = product(load(quantized, config, layer), inputs);
        return Comparison.of(layer.name(), other, right).relativeL2();
    }

    private Loaded load(Path folder, TransformerConfig config, TransformerLayer layer) {
        LayerPolicy policy = LayerPolicy.OF_MODEL.over(SanaTransformer.storedPolicy(folder));
        return NamedWeights.load(
                context,
                folder,
                DType.F32,
                bytes -> {},
                checkpoint -> TransformerTensors.of(config, checkpoint),
                weights -> new Loaded(weights, Projection.load(weights, policy, layer)));
    }

    private float[] product(Loaded loaded, Tensor inputs) {
        Ops ops = context.ops();
        Projection projection = loaded.projection();
        TransformerLayer layer = projection.layer();
        long rows = inputs.elements() / layer.in();
        long[] shape = inputs.shape();
        shape[shape.length - 1] = layer.out();
        try (loaded;
                Tensor dense = inputs.reshape(rows, layer.in());
                Tensor memory = context.tensor(DType.U8, Nvfp4Matrix.bytes(rows, layer.in()));
                Nvfp4Matrix quantizedRows = new Nvfp4Matrix(memory, rows, layer.in());
                Tensor out = context.tensor(DType.F32, shape)) {
            boolean quantizes = projection.takesQuantized(false);
            if (quantizes) {
                ops.nvfp4QuantizeRows(dense, projection.inputScale(), quantizedRows);
            }
            Projection.Input input = new Projection.Input(dense, quantizes ? quantizedRows : null);
            if (layer.kind() == WeightKind.TEMPORAL) {
                projection.convolve(ops, input, inputs, null, Epilogue.NONE, out);
            } else {
                projection.multiply(ops, input, Epilogue.NONE, out);
            }
            return out.toFloats();
        }
    }
}
