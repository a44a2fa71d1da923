package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.kernels.WrongInputs.weight;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TemporalConvolutionTest extends KernelTest {
    record Case(DType dtype, int batch, int frames, int pixels, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1, 61},
            {1, 29, 1, 1},
            {1, 1, 7, 16},
            {2, 1, 5, 17},
            {1, 2, 1, 15},
            {1, 2, 16, 32},
            {2, 2, 17, 33},
            {1, 3, 31, 31},
            {2, 3, 13, 65},
            {1, 5, 33, 64},
            {2, 5, 4, 97},
            {1, 9, 2, 127},
            {3, 4, 6, 12}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void convolves(Case c) {
        check(c, false, Finish.NONE);
        check(c, true, Finish.NONE);
    }

    static List<Finish> epilogues() {
        List<Finish> allowed = new ArrayList<>(Finish.all(6));
        allowed.removeIf(finish -> finish.bias() || finish.activation() != Activation.NONE);
        return allowed;
    }

    @ParameterizedTest
    @MethodSource("epilogues")
    void finishes(Finish finish) {
        for (DType dtype : FLOATS) {
            check(new Case(dtype, 2, 3, 7, 21), false, finish);
            check(new Case(dtype, 2, 3, 7, 21), true, finish);
            check(new Case(dtype, 1, 6, 5, 32), true, finish);
        }
    }

    private void check(Case c, boolean withPrevious, Finish finish) {
        Values in = gaussian(c.dtype, c.batch, c.frames, c.pixels, c.channels);
        Values previous = gaussian(c.dtype, c.batch, c.pixels, c.channels);
        Values w = gaussian(c.dtype, c.channels, c.channels, 3);
        Finish.Numbers numbers = finish.draw(this, c.dtype, in.shape());
        Tensor x = input(in);
        Tensor before = withPrevious ? input(previous) : null;
        try (Weight packed = pack(WeightKind.TEMPORAL, w)) {
            Values out =
                    run(
                            c.dtype,
                            in.shape(),
                            y ->
                                    ops.temporalConvolution(
                                            x, before, packed, numbers.on(this, y), y));
            double[] products = reference(in, withPrevious ? previous : null, w);
            assertClose(out, numbers.apply(products), 3L * c.channels);
        }
    }

    private static double[] reference(Values in, Values previous, Values weight) {
        int frames = in.size(1);
        int channels = in.size(3);
        int frame = in.size(2) * channels;
        double[] out = new double[in.length()];
        for (int i = 0; i < out.length; i++) {
            int batch = i / (frames * frame);
            int t = i / frame % frames;
            int row = i % frame / channels * channels;
            int channel = i % channels;
            out[i] = in.at(i);
            for (int tap = 0; tap < 3; tap++) {
                int source = t + tap - 1;
                for (int k = 0; k < channels; k++) {
                    double x = 0;
                    if (source >= 0 && source < frames) {
                        x = in.at((batch * frames + source) * frame + row + k);
                    } else if (source < 0 && previous != null) {
                        x = previous.at(batch * frame + row + k);
                    }
                    out[i] += x * weight.at((channel * channels + k) * 3 + tap);
                }
            }
        }
        return out;
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        WrongInputs.Call biased =
                (ops, given) ->
                        ops.temporalConvolution(
                                given.tensor("in"),
                                null,
                                given.weight("weight"),
                                Epilogue.bias(given.tensor("gate").reshape(4)),
                                given.tensor("out"));
        return new WrongInputs(
                        (ops, given) ->
                                ops.temporalConvolution(
                                        given.tensor("in"),
                                        given.tensor("previous"),
                                        given.weight("weight"),
                                        Epilogue.NONE
                                                .gate(given.tensor("gate"), 0)
                                                .residual(given.tensor("residual")),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 5, 4))
                .allows("previous", tensor(F32, 2, 5, 4))
                .needs("weight", weight(WeightKind.TEMPORAL, F32, 4, 4, 3))
                .allows("gate", tensor(F32, 1, 1, 4))
                .allows("residual", tensor(F32, 2, 3, 5, 4))
                .needs("out", tensor(F32, 2, 3, 5, 4))
                .wrong("in", tensor(F32, 6, 5, 4), "in", "[6, 5, 4]", "expected")
                .wrong("in", tensor(F32, 2, 3, 5, 6), "6", "expected", "4")
                .wrong("in", tensor(BF16, 2, 3, 5, 4), "weight is f32", "bf16")
                .wrong("previous", tensor(F32, 1, 5, 4), "previous", "[1, 5, 4]", "[2, 5, 4]")
                .wrong("previous", tensor(F32, 10, 4), "previous", "[10, 4]", "[2, 5, 4]")
                .wrong("previous", tensor(BF16, 2, 5, 4), "previous", "bf16", "f32")
                .wrong("weight", weight(WeightKind.LINEAR, F32, 4, 4), "weight", "kind")
                .wrong("weight", weight(WeightKind.TEMPORAL, BF16, 4, 4, 3), "weight", "bf16")
                .wrong("gate", tensor(F32, 4, 1, 4), "gate has 4 groups", "divisor of 30 rows")
                .wrong("gate", tensor(F32, 1, 1, 5), "gate", "[1, 1, 5]", "[any, any, 4]")
                .wrong("residual", tensor(F32, 2, 3, 5, 5), "residual", "[2, 3, 5, 5]")
                .wrong("out", tensor(F32, 2, 3, 5, 5), "out", "[2, 3, 5, 5]", "[2, 3, 5, 4]")
                .wrong("out", tensor(BF16, 2, 3, 5, 4), "out is bf16", "f32")
                .overlap("out", "previous")
                .overlap("out", "in")
                .wrongCall("a bias", biased, "bias", "expected")
                .wrongCall(
                        "an activation",
                        (ops, given) ->
                                ops.temporalConvolution(
                                        given.tensor("in"),
                                        null,
                                        given.weight("weight"),
                                        Epilogue.NONE.activation(Activation.SILU),
                                        given.tensor("out")),
                        "activation",
                        "expected")
                .wrongCall(
                        "square sums",
                        (ops, given) ->
                                ops.temporalConvolution(
                                        given.tensor("in"),
                                        null,
                                        given.weight("weight"),
                                        Epilogue.NONE.squareSums(
                                                given.tensor("previous")
                                                        .reshape(40)
                                                        .slice(0, 30)
                                                        .reshape(30, 1),
                                                1),
                                        given.tensor("out")),
                        "square sums",
                        "expected")
                .tests();
    }
}
