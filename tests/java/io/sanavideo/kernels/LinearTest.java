package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.kernels.WrongInputs.weight;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class LinearTest extends KernelTest {
    record Case(DType dtype, int rows, int in, int out) {}

    static Stream<Case> ragged() {
        int[][] shapes = {
            {1, 1, 1},
            {1, 2, 3},
            {1, 64, 16},
            {7, 31, 15},
            {8, 32, 16},
            {9, 33, 17},
            {15, 63, 31},
            {16, 64, 32},
            {17, 65, 33},
            {31, 127, 63},
            {32, 128, 64},
            {33, 129, 65},
            {37, 1, 97},
            {97, 257, 1},
            {1, 1031, 127},
            {128, 37, 128},
            {129, 2240, 24},
            {7, 4501, 70},
            {13, 5002, 64},
            {487, 19, 66}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("ragged")
    void multiplies(Case c) {
        check(c, Finish.NONE);
    }

    @RepeatedTest(12)
    void multipliesAnyShape() {
        for (DType dtype : FLOATS) {
            check(
                    new Case(
                            dtype,
                            random.nextInt(1, 100),
                            random.nextInt(1, 300),
                            random.nextInt(1, 100)),
                    new Finish(true, Activation.SILU, 1, Finish.Residual.APART));
        }
    }

    static Stream<Finish> epilogues() {
        return Finish.all(3).stream();
    }

    @ParameterizedTest
    @MethodSource("epilogues")
    void finishes(Finish finish) {
        check(new Case(F32, 21, 43, 37), finish);
        check(new Case(BF16, 21, 43, 37), finish);
        check(new Case(F32, 3, 16, 32), finish);
        check(new Case(BF16, 3, 16, 32), finish);
    }

    private void check(Case c, Finish finish) {
        Values in = gaussian(c.dtype, c.rows, c.in);
        Values w = gaussian(c.dtype, c.out, c.in);
        Finish.Numbers numbers = finish.draw(this, c.dtype, c.rows, c.out);
        var x = input(in);
        try (Weight packed = pack(WeightKind.LINEAR, w)) {
            Values out =
                    run(
                            c.dtype,
                            shape(c.rows, c.out),
                            y -> ops.linear(x, packed, numbers.on(this, y), y));
            assertClose(out, numbers.apply(product(in, w)), c.in);
        }
    }

    static Stream<Case> parted() {
        int[][] shapes = {{1, 3, 1}, {5, 8, 6}, {17, 33, 66}, {64, 16, 96}, {33, 40, 192}};
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("parted")
    void sumsTheSquaresOfWhatItStores(Case c) {
        int parts = c.out % 3 == 0 ? 3 : 1;
        int width = c.out / parts;
        int summed = Math.max(1, parts - 1);
        var x = input(gaussian(c.dtype, c.rows, c.in));
        var residual = input(gaussian(c.dtype, c.rows, c.out));
        try (Weight packed = pack(WeightKind.LINEAR, gaussian(c.dtype, c.out, c.in))) {
            var y = output(c.dtype, c.rows, c.out);
            Epilogue epilogue = Epilogue.NONE.activation(Activation.SILU).residual(residual);
            Values sums =
                    run(
                            F32,
                            shape(c.rows, summed),
                            s -> ops.linear(x, packed, epilogue.squareSums(s, parts), y));
            Values stored = read(y);
            double[] expected = new double[c.rows * summed];
            for (int i = 0; i < expected.length; i++) {
                int begin = i / summed * c.out + i % summed * width;
                for (int k = begin; k < begin + width; k++) {
                    expected[i] += stored.at(k) * stored.at(k);
                }
            }
            assertClose(sums, expected, width);
        }
    }

    private static double[] product(Values in, Values weight) {
        int features = in.size(1);
        int outs = weight.size(0);
        double[] out = new double[in.size(0) * outs];
        for (int i = 0; i < out.length; i++) {
            for (int k = 0; k < features; k++) {
                out[i] += in.at(i / outs * features + k) * weight.at(i % outs * features + k);
            }
        }
        return out;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void takesAnyRank(DType dtype) {
        Values in = gaussian(dtype, 2, 3, 5, 7);
        Values w = gaussian(dtype, 11, 7);
        var x = input(in);
        var packed = pack(WeightKind.LINEAR, w);
        Values out = run(dtype, shape(6, 5, 11), y -> ops.linear(x, packed, Epilogue.NONE, y));
        assertClose(out, product(in.reshape(30, 7), w), 7);
    }

    @Test
    void keepsTheWeightAcrossShapes() {
        Values w = gaussian(BF16, 48, 64);
        var packed = pack(WeightKind.LINEAR, w);
        for (int rows : new int[] {1, 100, 2, 33, 1}) {
            Values in = gaussian(BF16, rows, 64);
            var x = input(in);
            Values out = run(BF16, shape(rows, 48), y -> ops.linear(x, packed, Epilogue.NONE, y));
            assertClose(out, product(in, w), 64);
        }
    }

    private static WrongInputs.Call parts(int parts) {
        return (ops, given) ->
                ops.linear(
                        given.tensor("in"),
                        given.weight("weight"),
                        Epilogue.NONE.squareSums(given.tensor("square_sums"), parts),
                        given.tensor("out"));
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.linear(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        Epilogue.bias(given.tensor("bias"))
                                                .activation(Activation.SILU)
                                                .gate(given.tensor("gate"), 1)
                                                .residual(given.tensor("residual"))
                                                .squareSums(given.tensor("square_sums"), 2),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 6, 5))
                .needs("weight", weight(WeightKind.LINEAR, F32, 4, 5))
                .allows("bias", tensor(F32, 4))
                .allows("gate", tensor(F32, 3, 2, 4))
                .allows("residual", tensor(F32, 6, 4))
                .allows("square_sums", tensor(F32, 6, 1))
                .needs("out", tensor(F32, 6, 4))
                .wrong("in", tensor(F32, 6, 7), "in has 7 features", "expected the weight's 5")
                .wrong("in", tensor(BF16, 6, 5), "weight is f32", "input's dtype bf16")
                .wrong("weight", weight(WeightKind.LINEAR, BF16, 4, 5), "weight is bf16", "f32")
                .wrong("weight", weight(WeightKind.TEMPORAL, F32, 5, 5, 3), "weight", "kind")
                .wrong("out", tensor(F32, 6, 5), "out", "[6, 5]", "6 rows of 4 features")
                .wrong("out", tensor(F32, 5, 4), "out", "[5, 4]", "6 rows of 4 features")
                .wrong("out", tensor(BF16, 6, 4), "out is bf16", "f32")
                .wrong("bias", tensor(F32, 5), "bias", "[5]", "[4]")
                .wrong("bias", tensor(F32, 1, 4), "bias", "[1, 4]", "[4]")
                .wrong("bias", tensor(BF16, 4), "bias", "bf16", "f32")
                .wrong("gate", tensor(F32, 3, 2, 5), "gate", "[3, 2, 5]", "[any, any, 4]")
                .wrong("gate", tensor(F32, 2, 4), "gate", "[2, 4]", "[any, any, 4]")
                .wrong("gate", tensor(BF16, 3, 2, 4), "gate", "bf16", "f32")
                .wrong("gate", tensor(F32, 4, 2, 4), "gate has 4 groups", "divisor of 6 rows")
                .wrong("gate", tensor(F32, 3, 1, 4), "gate_row is 1", "0 to 0")
                .wrong("residual", tensor(F32, 6, 5), "residual", "[6, 5]", "[6, 4]")
                .wrong("residual", tensor(BF16, 6, 4), "residual is bf16", "f32")
                .wrong("square_sums", tensor(F32, 5, 1), "square_sums", "[5, 1]", "[6, any]")
                .wrong("square_sums", tensor(F32, 6), "square_sums", "[6]", "[6, any]")
                .wrong("square_sums", tensor(BF16, 6, 1), "square_sums is bf16", "f32")
                .wrong("square_sums", tensor(F32, 6, 3), "has 3 parts", "at most square_parts, 2")
                .wrongCall("no parts", parts(0), "square_parts is 0", "divisor of out's 4")
                .wrongCall("three parts", parts(3), "square_parts is 3", "divisor of out's 4")
                .overlap("out", "in")
                .overlap("square_sums", "in")
                .overlap("square_sums", "out")
                .tests();
    }
}
