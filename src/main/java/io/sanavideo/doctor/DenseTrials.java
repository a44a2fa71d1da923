package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.List;

/** Trials of {@code sanavideo/linear.h}. */
final class DenseTrials {
    static final int GATE_ROWS = 6;
    static final int GATE_ROW = 5;

    private final Sizes sizes;

    private DenseTrials(Sizes sizes) {
        this.sizes = sizes;
    }

    static List<Trial> of(Sizes sizes, DType dtype) {
        DenseTrials trials = new DenseTrials(sizes);
        return List.of(
                trials.activated(dtype),
                trials.gated(dtype),
                trials.summed(dtype),
                trials.finished(dtype));
    }

    /** Bias and activation. */
    private Trial activated(DType dtype) {
        int width = sizes.width();
        return linear(
                dtype,
                width,
                ", bias, SiLU",
                (on, x, weight) -> {
                    Tensor bias = on.input(F32, width);
                    Tensor out = on.output(dtype, sizes.rows(), width);
                    on.ops()
                            .linear(
                                    x,
                                    weight,
                                    Epilogue.bias(bias).activation(Activation.SILU),
                                    out);
                    on.near("out", out, Bound.sums(dtype, width));
                });
    }

    /** A gate for each group of rows, and the residual. */
    private Trial gated(DType dtype) {
        int width = sizes.width();
        return linear(
                dtype,
                width,
                ", gates, residual",
                (on, x, weight) -> {
                    Tensor gate = on.input(F32, Sizes.GROUPS, GATE_ROWS, width);
                    Tensor residual = on.input(dtype, sizes.rows(), width);
                    Tensor out = on.output(dtype, sizes.rows(), width);
                    on.ops()
                            .linear(
                                    x,
                                    weight,
                                    Epilogue.NONE.gate(gate, GATE_ROW).residual(residual),
                                    out);
                    on.near("out", out, Bound.sums(dtype, width));
                });
    }

    /** The sums of squares of two parts of three, as queries, keys and values have them. */
    private Trial summed(DType dtype) {
        int features = 3 * Sizes.HEAD * Math.max(1, sizes.heads() / 4);
        return linear(
                dtype,
                features,
                ", sums of squares",
                (on, x, weight) -> {
                    Tensor sums = on.output(F32, sizes.rows(), 2);
                    Tensor out = on.output(dtype, sizes.rows(), features);
                    on.ops().linear(x, weight, Epilogue.NONE.squareSums(sums, 3), out);
                    on.near("out", out, Bound.sums(dtype, sizes.width()));
                    on.near("square_sums", sums, Bound.sums(dtype, sizes.width()));
                });
    }

    private interface Product {
        void run(Pass on, Tensor x, Weight weight);
    }

    private Trial linear(DType dtype, int features, String more, Product product) {
        int width = sizes.width();
        return new Trial(
                "linear",
                dtype,
                "%d x %d -> %d%s".formatted(sizes.rows(), width, features, more),
                on -> {
                    Tensor x = on.uniform(dtype, -1.7, 1.7, sizes.rows(), width);
                    product.run(on, x, on.weight(WeightKind.LINEAR, dtype, width, features, width));
                });
    }

    private Trial finished(DType dtype) {
        int width = sizes.width() + 1;
        return new Trial(
                "finish_product",
                dtype,
                Trial.text(sizes.rows(), width) + ", bias, GELU, gates, residual",
                on -> {
                    Tensor product = on.uniform(dtype, -3, 3, sizes.rows(), width);
                    Tensor residual = on.input(dtype, sizes.rows(), width);
                    Epilogue epilogue =
                            Epilogue.bias(on.input(F32, width))
                                    .activation(Activation.GELU_TANH)
                                    .gate(on.input(F32, Sizes.GROUPS, GATE_ROWS, width), GATE_ROW)
                                    .residual(residual);
                    Tensor out = on.output(dtype, sizes.rows(), width);
                    on.ops().finishProduct(product, epilogue, out);
                    on.near("out", out, Bound.sums(dtype, 1));
                });
    }
}
