package io.sanavideo.runtime;

/**
 * What is done to a product before it is stored: residual + gate * activation(product + bias), in
 * fp32. Members that are null are left out.
 *
 * @param bias f32 [out]
 * @param activation not null
 * @param gate f32 [groups, rows, out], of which row {@code gateRow} is used
 * @param gateRow which row of the gate
 * @param residual the output's shape and dtype; may be the output itself
 * @param squareSums f32 [rows, summed]: receives the sums of the squares of what was stored, of the
 *     first parts of each row; of linear layers only
 * @param squareParts into how many equal parts a row is divided for them
 */
public record Epilogue(
        Tensor bias,
        Activation activation,
        Tensor gate,
        int gateRow,
        Tensor residual,
        Tensor squareSums,
        int squareParts) {
    /** The product as it is. */
    public static final Epilogue NONE = new Epilogue(null, Activation.NONE, null, 0, null, null, 0);

    public static Epilogue bias(Tensor bias) {
        return new Epilogue(bias, Activation.NONE, null, 0, null, null, 0);
    }

    public Epilogue activation(Activation activation) {
        return new Epilogue(bias, activation, gate, gateRow, residual, squareSums, squareParts);
    }

    public Epilogue gate(Tensor gate, int row) {
        return new Epilogue(bias, activation, gate, row, residual, squareSums, squareParts);
    }

    public Epilogue residual(Tensor residual) {
        return new Epilogue(bias, activation, gate, gateRow, residual, squareSums, squareParts);
    }

    public Epilogue squareSums(Tensor sums, int parts) {
        return new Epilogue(bias, activation, gate, gateRow, residual, sums, parts);
    }
}
