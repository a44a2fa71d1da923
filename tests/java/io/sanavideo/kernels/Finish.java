package io.sanavideo.kernels;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Which parts of an epilogue a test uses.
 *
 * @param gateGroups groups of rows that share a gate, 0 for no gate
 */
record Finish(boolean bias, Activation activation, int gateGroups, Residual residual) {
    enum Residual {
        NONE,
        APART,
        /** The output itself. */
        OUTPUT
    }

    static final Finish NONE = new Finish(false, Activation.NONE, 0, Residual.NONE);

    private static final int GATE_ROWS = 3;
    private static final int GATE_ROW = 2;

    /** Every combination. */
    static List<Finish> all(int gateGroups) {
        List<Finish> all = new ArrayList<>();
        for (boolean bias : new boolean[] {false, true}) {
            for (Activation activation : Activation.values()) {
                for (int groups : new int[] {0, 1, gateGroups}) {
                    for (Residual residual : Residual.values()) {
                        all.add(new Finish(bias, activation, groups, residual));
                    }
                }
            }
        }
        return all;
    }

    /** The numbers of one epilogue. */
    record Numbers(Finish finish, Values bias, Values gate, Values residual) {
        /**
         * The epilogue on the device, for an output that holds the residual where that is asked.
         */
        Epilogue on(KernelTest test, Tensor out) {
            if (finish.residual == Residual.OUTPUT) {
                out.upload(residual.bytes());
            }
            Epilogue epilogue =
                    Epilogue.bias(finish.bias ? test.input(bias) : null)
                            .activation(finish.activation)
                            .residual(
                                    switch (finish.residual) {
                                        case NONE -> null;
                                        case APART -> test.input(residual);
                                        case OUTPUT -> out;
                                    });
            return finish.gateGroups > 0 ? epilogue.gate(test.input(gate), GATE_ROW) : epilogue;
        }

        /** What is stored for these products, row-major. */
        double[] apply(double[] products) {
            int channels = bias.length();
            int rows = products.length / channels;
            double[] stored = new double[products.length];
            for (int i = 0; i < products.length; i++) {
                int channel = i % channels;
                double y = products[i] + (finish.bias ? bias.at(channel) : 0);
                y =
                        switch (finish.activation) {
                            case NONE -> y;
                            case SILU -> KernelTest.silu(y);
                            case GELU_TANH -> KernelTest.geluTanh(y);
                        };
                if (finish.gateGroups > 0) {
                    int group = i / channels / (rows / finish.gateGroups);
                    y *= gate.at((group * GATE_ROWS + GATE_ROW) * channels + channel);
                }
                stored[i] = y + (finish.residual == Residual.NONE ? 0 : residual.at(i));
            }
            return stored;
        }
    }

    /** Draws numbers for outputs of this shape. */
    Numbers draw(KernelTest test, DType dtype, long... shape) {
        long channels = shape[shape.length - 1];
        return new Numbers(
                this,
                test.gaussian(DType.F32, channels),
                test.gaussian(DType.F32, Math.max(1, gateGroups), GATE_ROWS, channels),
                test.gaussian(dtype, shape));
    }
}
