package io.sanavideo.quantize;

import io.sanavideo.model.TransformerLayer;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.HostMemory;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes NVFP4 weights of dense ones. A low-rank correction (SVDQuant, arXiv 2411.05007) takes up
 * what few directions of the weight are large, which leaves less to quantise; then what
 * quantisation got wrong is given to it, and so on while the weight gets nearer.
 */
final class LayerQuantizer {
    /** The largest code times the largest scale: what the largest magnitude is divided by. */
    static final float SIX_RANGE = 6 * 448;

    /** As much with room for scales that are half as large again, where 4 is the largest code. */
    private static final float FOUR_OVER_SIX_RANGE = 6 * 256;

    private static final int ROUNDS = 3;
    private static final int BLOCK = 16;
    private static final int SLAB = 64;
    private static final int LARGEST_CODE = 7;
    private static final int BLOCK_ELEMENTS = 1 << 22;

    private final Context context;
    private final boolean fourOverSix;
    private final int rank;

    /**
     * @param rank of the correction of linear layers; 0 for none
     */
    LayerQuantizer(Context context, boolean fourOverSix, int rank) {
        this.context = context;
        this.fourOverSix = fourOverSix;
        this.rank = rank;
    }

    /**
     * @param weight [out, taps, in]
     */
    QuantizedLayer quantize(TransformerLayer layer, float[] weight) {
        if (!corrects(layer, rank)) {
            return attempt(layer, weight, null, weight).layer;
        }
        Attempt best = null;
        float[] rest = weight;
        for (int round = 0; round < ROUNDS; round++) {
            LowRank lowRank = LowRank.of(context, rest, layer.out(), layer.in(), rank(layer, rank));
            float[] correction = lowRank.matrix(context);
            float[] target = difference(weight, correction);
            Attempt attempt = attempt(layer, target, lowRank, weight);
            if (best != null && attempt.layer.signalToNoise() <= best.layer.signalToNoise()) {
                break;
            }
            best = attempt;
            rest = difference(weight, attempt.stands);
        }
        return best.layer;
    }

    /** Whether a layer gets a correction: a temporal convolution's would be three products more. */
    static boolean corrects(TransformerLayer layer, int rank) {
        return rank > 0 && layer.kind() == WeightKind.LINEAR;
    }

    /** The rank of a layer's correction, which is not above that of its weight. */
    static int rank(TransformerLayer layer, int rank) {
        return Math.min(rank, Math.min(layer.in(), layer.out()));
    }

    /** A quantised layer, and what its codes stand for: [out, taps, in]. */
    private record Attempt(QuantizedLayer layer, float[] stands) {}

    /**
     * @param target what is quantised: the weight less its correction
     */
    private Attempt attempt(
            TransformerLayer layer, float[] target, LowRank lowRank, float[] weight) {
        float[] stands = new float[target.length];
        int partElements = target.length / layer.parts().size();
        List<QuantizedLayer.Part> parts = new ArrayList<>();
        long saturated = 0;
        for (int first = 0; first < target.length; first += partElements) {
            Codes codes = new Codes(partElements, layer.in());
            float scale = globalScale(target, first, partElements);
            saturated += codes.fill(target, first, scale, stands);
            parts.add(new QuantizedLayer.Part(codes.codes, codes.scales, scale));
        }
        // Less its correction or not, what is missing is the same.
        double noise = 0;
        double signal = 0;
        for (int i = 0; i < target.length; i++) {
            double missing = (double) target[i] - stands[i];
            noise += missing * missing;
            signal += (double) weight[i] * weight[i];
        }
        double ratio = QuantizedLayer.signalToNoise(signal, noise);
        return new Attempt(
                new QuantizedLayer(parts, lowRank, ratio, (double) saturated / target.length),
                stands);
    }

    private float globalScale(float[] weight, int first, int count) {
        float largest = 0;
        for (int i = first; i < first + count; i++) {
            largest = Math.max(largest, Math.abs(weight[i]));
        }
        return largest == 0 ? 1 : largest / (fourOverSix ? FOUR_OVER_SIX_RANGE : SIX_RANGE);
    }

    private static float[] difference(float[] left, float[] right) {
        float[] difference = new float[left.length];
        for (int i = 0; i < left.length; i++) {
            difference[i] = left[i] - right[i];
        }
        return difference;
    }

    /** The codes and scales of rows of {@code in} elements. */
    private final class Codes {
        private final byte[] codes;
        private final byte[] scales;
        private final int in;

        Codes(int elements, int in) {
            this.in = in;
            codes = new byte[elements / 2];
            scales = new byte[elements / BLOCK];
        }

        /** Quantises; returns how many elements are beyond the largest code. */
        long fill(float[] target, int first, float globalScale, float[] stands) {
            int rows = codes.length * 2 / in;
            int blockRows = Math.max(1, BLOCK_ELEMENTS / in);
            long saturated = 0;
            for (int row = 0; row < rows; row += blockRows) {
                int count = Math.min(blockRows, rows - row);
                int at = first + row * in;
                fillBlock(target, at, row, count, globalScale, stands);
                saturated += saturated(target, stands, at, row * in, count * in);
            }
            return saturated;
        }

        private void fillBlock(
                float[] target, int at, int row, int count, float globalScale, float[] stands) {
            int padded = (in + SLAB - 1) / SLAB * SLAB;
            float[] block = Arrays.copyOfRange(target, at, at + count * in);
            try (Tensor dense = context.tensor(DType.F32, count, in);
                    Tensor packed = context.tensor(DType.U8, count, padded / 2);
                    Tensor packedScales = context.tensor(DType.U8, count, padded / BLOCK)) {
                dense.upload(block);
                context.ops().nvfp4Quantize(dense, globalScale, fourOverSix, packed, packedScales);
                take(packed, codes, row, in / 2);
                take(packedScales, scales, row, in / BLOCK);
                context.ops().nvfp4Dequantize(packed, packedScales, globalScale, dense);
                System.arraycopy(dense.toFloats(), 0, stands, at, block.length);
            }
        }

        /** The bytes of rows without what was added to fill them up. */
        private void take(Tensor from, byte[] to, int row, int rowBytes) {
            try (HostMemory host = new HostMemory((int) from.bytes())) {
                from.download(host.buffer());
                ByteBuffer bytes = host.buffer();
                for (int i = 0; i < from.size(0); i++) {
                    bytes.get((int) (i * from.size(1)), to, (row + i) * rowBytes, rowBytes);
                }
            }
        }

        private long saturated(float[] target, float[] stands, int at, int element, int count) {
            long saturated = 0;
            for (int i = 0; i < count; i++) {
                int code = codes[(element + i) / 2] >> (element + i) % 2 * 4 & LARGEST_CODE;
                if (code == LARGEST_CODE && Math.abs(target[at + i]) > Math.abs(stands[at + i])) {
                    saturated++;
                }
            }
            return saturated;
        }
    }
}
