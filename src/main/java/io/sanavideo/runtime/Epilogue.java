package io.sanavideo.runtime;

/**
 * What is done to a product before it is stored: residual + gate * activation(product + lowRank
 * up^T + bias), in fp32. Members that are null are left out.
 *
 * @param bias f32 [out]
 * @param activation not null
 * @param gate f32 [groups, rows, out], of which row {@code gateRow} is used
 * @param gateRow which row of the gate
 * @param residual the output's shape and dtype; may be the output itself
 * @param squareSums f32 [rows, summed]: receives the sums of the squares of what was stored, of the
 *     first parts of each row; of linear layers only
 * @param squareParts into how many equal parts a row is divided for them
 * @param lowRank [rows, rank], of the output's dtype: with {@code lowRankUp}, a linear weight [out,
 *     rank], corrects the product of an NVFP4 weight
 * @param lowRankUp null when lowRank is
 * @param quantized receives the result as NVFP4, beside the output; of NVFP4 weights only
 * @param quantizedScale the global scale that it is quantised with
 */
public record Epilogue(
        Tensor bias,
        Activation activation,
        Tensor gate,
        int gateRow,
        Tensor residual,
        Tensor squareSums,
        int squareParts,
        Tensor lowRank,
        Weight lowRankUp,
        Nvfp4Matrix quantized,
        float quantizedScale) {
    /** The product as it is. */
    public static final Epilogue NONE = bias(null);

    public static Epilogue bias(Tensor bias) {
        return new Epilogue(bias, Activation.NONE, null, 0, null, null, 0, null, null, null, 0);
    }

    public Epilogue activation(Activation with) {
        return new Epilogue(
                bias,
                with,
                gate,
                gateRow,
                residual,
                squareSums,
                squareParts,
                lowRank,
                lowRankUp,
                quantized,
                quantizedScale);
    }

    public Epilogue gate(Tensor by, int row) {
        return new Epilogue(
                bias,
                activation,
                by,
                row,
                residual,
                squareSums,
                squareParts,
                lowRank,
                lowRankUp,
                quantized,
                quantizedScale);
    }

    public Epilogue residual(Tensor to) {
        return new Epilogue(
                bias,
                activation,
                gate,
                gateRow,
                to,
                squareSums,
                squareParts,
                lowRank,
                lowRankUp,
                quantized,
                quantizedScale);
    }

    public Epilogue squareSums(Tensor sums, int parts) {
        return new Epilogue(
                bias,
                activation,
                gate,
                gateRow,
                residual,
                sums,
                parts,
                lowRank,
                lowRankUp,
                quantized,
                quantizedScale);
    }

    public Epilogue lowRank(Tensor down, Weight up) {
        return new Epilogue(
                bias,
                activation,
                gate,
                gateRow,
                residual,
                squareSums,
                squareParts,
                down,
                up,
                quantized,
                quantizedScale);
    }

    public Epilogue quantized(Nvfp4Matrix to, float globalScale) {
        return new Epilogue(
                bias,
                activation,
                gate,
                gateRow,
                residual,
                squareSums,
                squareParts,
                lowRank,
                lowRankUp,
                to,
                globalScale);
    }
}
