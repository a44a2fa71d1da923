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
 */
public record Epilogue(
        Tensor bias, Activation activation, Tensor gate, int gateRow, Tensor residual) {
    /** The product as it is. */
    public static final Epilogue NONE = new Epilogue(null, Activation.NONE, null, 0, null);

    public static Epilogue bias(Tensor bias) {
        return new Epilogue(bias, Activation.NONE, null, 0, null);
    }

    public Epilogue activation(Activation activation) {
        return new Epilogue(bias, activation, gate, gateRow, residual);
    }

    public Epilogue gate(Tensor gate, int row) {
        return new Epilogue(bias, activation, gate, row, residual);
    }

    public Epilogue residual(Tensor residual) {
        return new Epilogue(bias, activation, gate, gateRow, residual);
    }
}
