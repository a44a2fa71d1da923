package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.List;

/**
 * Trials of products with NVFP4 weights, of rows that are quantised and of rows that are not. The
 * widths are whole numbers of blocks, but not of the 64 that one instruction multiplies.
 */
final class Nvfp4ProductTrials {
    private static final float INPUT_SCALE = 0.043f;
    private static final float RESULT_SCALE = 0.01f;
    private static final int RANK = 32;
    private static final int CLIPS = 2;
    private static final int FRAMES = 2;

    private final Sizes sizes;
    private final int rows;
    private final int in;
    private final int out;

    private Nvfp4ProductTrials(Sizes sizes) {
        this.sizes = sizes;
        this.rows = sizes.rows();
        this.in = sizes.width() - 16;
        this.out = sizes.width() + 5;
    }

    static List<Trial> of(Sizes sizes, DType dtype) {
        Nvfp4ProductTrials trials = new Nvfp4ProductTrials(sizes);
        return List.of(
                trials.activated(dtype),
                trials.gated(dtype),
                trials.window(dtype),
                trials.lowRank(dtype),
                trials.quantised(dtype),
                trials.weightOnly(dtype),
                trials.temporal(dtype),
                trials.quantisedTemporal(dtype),
                trials.weightOnlyTemporal(dtype));
    }

    private interface Product {
        void run(Pass on, Nvfp4Matrix x, Weight weight, Tensor y);
    }

    private Trial linear(DType dtype, String more, Product product) {
        return new Trial(
                "nvfp4_linear",
                dtype,
                "%d x %d -> %d%s".formatted(rows, in, out, more),
                on -> {
                    Nvfp4Matrix x = on.slabs(rows, in, INPUT_SCALE);
                    Weight weight = on.nvfp4Weight(WeightKind.LINEAR, out, in);
                    Tensor y = on.output(dtype, rows, out);
                    product.run(on, x, weight, y);
                    on.near("out", y, Bound.sums(dtype, in));
                });
    }

    private Trial activated(DType dtype) {
        return linear(
                dtype,
                ", bias, SiLU",
                (on, x, weight, y) -> {
                    Tensor bias = on.input(F32, out);
                    on.ops()
                            .nvfp4Linear(
                                    x, weight, Epilogue.bias(bias).activation(Activation.SILU), y);
                });
    }

    private Trial gated(DType dtype) {
        return linear(
                dtype,
                ", gates, residual",
                (on, x, weight, y) -> {
                    Tensor gate = on.input(F32, Sizes.GROUPS, DenseTrials.GATE_ROWS, out);
                    Tensor residual = on.input(dtype, rows, out);
                    Epilogue epilogue =
                            Epilogue.NONE.gate(gate, DenseTrials.GATE_ROW).residual(residual);
                    on.ops().nvfp4Linear(x, weight, epilogue, y);
                });
    }

    /** Rows of a matrix that has more of them on either side. */
    private Trial window(DType dtype) {
        int count = rows * 2 / 3;
        return new Trial(
                "nvfp4_linear",
                dtype,
                "%d x %d -> %d, of %d rows".formatted(count, in, out, rows),
                on -> {
                    Nvfp4Matrix x = on.slabs(rows, in, INPUT_SCALE);
                    Weight weight = on.nvfp4Weight(WeightKind.LINEAR, out, in);
                    Tensor y = on.output(dtype, count, out);
                    try (Nvfp4Matrix some = x.rows(7, count)) {
                        on.ops().nvfp4Linear(some, weight, Epilogue.NONE, y);
                    }
                    on.near("out", y, Bound.sums(dtype, in));
                });
    }

    private Trial lowRank(DType dtype) {
        return linear(
                dtype,
                ", rank %d, bias".formatted(RANK),
                (on, x, weight, y) -> {
                    Tensor down = on.input(dtype, rows, RANK);
                    Weight up = on.weight(WeightKind.LINEAR, dtype, RANK, out, RANK);
                    Epilogue epilogue = Epilogue.bias(on.input(F32, out)).lowRank(down, up);
                    on.ops().nvfp4Linear(x, weight, epilogue, y);
                });
    }

    /** The result is stored and quantised at once. */
    private Trial quantised(DType dtype) {
        return linear(
                dtype,
                ", bias, SiLU, quantised",
                (on, x, weight, y) -> {
                    Nvfp4Matrix result = on.slabsOut(rows, out);
                    Epilogue epilogue =
                            Epilogue.bias(on.input(F32, out))
                                    .activation(Activation.SILU)
                                    .quantized(result, RESULT_SCALE);
                    on.ops().nvfp4Linear(x, weight, epilogue, y);
                    Nvfp4Trials.compareFused(on, dtype, RESULT_SCALE, result, y);
                });
    }

    private Trial weightOnly(DType dtype) {
        return new Trial(
                "linear",
                dtype,
                "%d x %d -> %d, NVFP4 weight, bias, SiLU".formatted(rows, in, out),
                on -> {
                    Tensor x = on.input(dtype, rows, in);
                    Weight weight = on.nvfp4Weight(WeightKind.LINEAR, out, in);
                    Tensor bias = on.input(F32, out);
                    Tensor y = on.output(dtype, rows, out);
                    on.ops().linear(x, weight, Epilogue.bias(bias).activation(Activation.SILU), y);
                    on.near("out", y, Bound.sums(dtype, in));
                });
    }

    private long[] clip() {
        return new long[] {CLIPS, FRAMES, sizes.pixels(), in};
    }

    private Trial temporal(DType dtype) {
        return new Trial(
                "nvfp4_temporal_convolution",
                dtype,
                Trial.text(clip()) + ", gates, residual",
                on -> {
                    Nvfp4Matrix x = on.slabs(CLIPS * FRAMES * sizes.pixels(), in, INPUT_SCALE);
                    Weight weight = on.nvfp4Weight(WeightKind.TEMPORAL, in, in, 3);
                    Tensor identity = on.input(dtype, clip());
                    Tensor gate = on.input(F32, CLIPS * FRAMES, DenseTrials.GATE_ROWS, in);
                    Tensor residual = on.input(dtype, clip());
                    Tensor y = on.output(dtype, clip());
                    Epilogue epilogue =
                            Epilogue.NONE.gate(gate, DenseTrials.GATE_ROW).residual(residual);
                    on.ops().nvfp4TemporalConvolution(x, identity, weight, epilogue, y);
                    on.near("out", y, Bound.sums(dtype, 3L * in));
                });
    }

    private Trial quantisedTemporal(DType dtype) {
        return new Trial(
                "nvfp4_temporal_convolution",
                dtype,
                Trial.text(clip()) + ", quantised",
                on -> {
                    Nvfp4Matrix x = on.slabs(CLIPS * FRAMES * sizes.pixels(), in, INPUT_SCALE);
                    Weight weight = on.nvfp4Weight(WeightKind.TEMPORAL, in, in, 3);
                    Tensor identity = on.input(dtype, clip());
                    Nvfp4Matrix result = on.slabsOut((long) CLIPS * FRAMES * sizes.pixels(), in);
                    Tensor y = on.output(dtype, clip());
                    on.ops()
                            .nvfp4TemporalConvolution(
                                    x,
                                    identity,
                                    weight,
                                    Epilogue.NONE.quantized(result, RESULT_SCALE),
                                    y);
                    on.near("out", y, Bound.sums(dtype, 3L * in));
                    Nvfp4Trials.compareFused(on, dtype, RESULT_SCALE, result, y);
                });
    }

    private Trial weightOnlyTemporal(DType dtype) {
        return new Trial(
                "temporal_convolution",
                dtype,
                Trial.text(clip()) + ", NVFP4 weight",
                on -> {
                    Tensor x = on.input(dtype, clip());
                    Weight weight = on.nvfp4Weight(WeightKind.TEMPORAL, in, in, 3);
                    Tensor y = on.output(dtype, clip());
                    on.ops().temporalConvolution(x, null, weight, Epilogue.NONE, y);
                    on.near("out", y, Bound.sums(dtype, 3L * in));
                });
    }
}
