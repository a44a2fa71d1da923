package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RmsNormTest extends KernelTest {
    private static final float EPSILON = 1e-6f;

    record Case(DType dtype, int rows, int parts, int part, int channels, float offset) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 0, 61},
            {64, 1, 0, 1},
            {5, 1, 0, 3},
            {3, 3, 0, 15},
            {7, 3, 1, 16},
            {4, 2, 1, 17},
            {17, 2, 0, 31},
            {16, 1, 0, 32},
            {2, 4, 3, 33},
            {31, 1, 0, 97},
            {3, 3, 2, 112},
            {2, 2, 0, 257},
            {2, 1, 0, 2240},
            {47, 1, 0, 701}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3], s[0] % 2));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void normalisesOnePart(Case c) {
        Values in = gaussian(c.dtype, c.rows, c.parts, c.channels);
        Values weight = gaussian(F32, c.channels);
        Values residual = gaussian(c.dtype, c.rows, c.channels);
        Tensor x = input(in);
        Tensor w = input(weight);
        Tensor r = input(residual);
        long[] rows = shape(c.rows, c.channels);

        Values alone =
                run(c.dtype, rows, y -> ops.rmsNorm(x, c.part, w, c.offset, EPSILON, null, y));
        assertClose(alone, reference(c, in, weight, null), c.channels);

        Values added = run(c.dtype, rows, y -> ops.rmsNorm(x, c.part, w, c.offset, EPSILON, r, y));
        assertClose(added, reference(c, in, weight, residual), c.channels);

        Tensor inPlace = inOut(residual);
        ops.rmsNorm(x, c.part, w, c.offset, EPSILON, inPlace, inPlace);
        assertSame(read(inPlace), added);
        checkParts(c, in, w, r, alone, added);
    }

    /** Into a tensor of parts, and into the input itself: the other parts stay as they were. */
    private void checkParts(Case c, Values in, Tensor w, Tensor r, Values alone, Values added) {
        Values before = gaussian(c.dtype, in.shape());
        Tensor out = inOut(before);
        ops.rmsNorm(input(in), c.part, w, c.offset, EPSILON, null, out);
        assertSame(read(out), withPart(c, before, alone));
        Tensor inPlace = inOut(in);
        ops.rmsNorm(inPlace, c.part, w, c.offset, EPSILON, r, inPlace);
        assertSame(read(inPlace), withPart(c, in, added));
    }

    private static Values withPart(Case c, Values before, Values part) {
        float[] data = before.data().clone();
        for (int row = 0; row < c.rows; row++) {
            System.arraycopy(
                    part.data(),
                    row * c.channels,
                    data,
                    (row * c.parts + c.part) * c.channels,
                    c.channels);
        }
        return new Values(c.dtype, before.shape(), data);
    }

    private static double[] reference(Case c, Values in, Values weight, Values residual) {
        double[] out = new double[c.rows * c.channels];
        for (int row = 0; row < c.rows; row++) {
            int begin = (row * c.parts + c.part) * c.channels;
            double square = 0;
            for (int i = 0; i < c.channels; i++) {
                square += in.at(begin + i) * in.at(begin + i) / c.channels;
            }
            for (int i = 0; i < c.channels; i++) {
                double y = in.at(begin + i) / Math.sqrt(square + EPSILON);
                int element = row * c.channels + i;
                out[element] =
                        y * (c.offset + weight.at(i))
                                + (residual == null ? 0 : residual.at(element));
            }
        }
        return out;
    }

    @Test
    void takesRowsWithoutParts() {
        Case c = new Case(F32, 5, 1, 0, 19, 0);
        Values in = gaussian(F32, 5, 19);
        Values weight = gaussian(F32, 19);
        Tensor x = input(in);
        Tensor w = input(weight);
        Values out = run(F32, in.shape(), y -> ops.rmsNorm(x, 0, w, 0, EPSILON, null, y));
        assertClose(out, reference(c, in, weight, null), 19);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs((ops, given) -> call(ops, given, 1))
                .needs("in", tensor(F32, 6, 2, 5))
                .needs("weight", tensor(F32, 5))
                .allows("residual", tensor(F32, 6, 5))
                .needs("out", tensor(F32, 6, 5))
                .wrong("in", tensor(F32, 60), "in", "[60]", "expected")
                .wrong("in", tensor(F32, 1, 6, 2, 5), "in", "[1, 6, 2, 5]", "expected")
                .wrong("weight", tensor(F32, 4), "weight", "[4]", "[5]")
                .wrong("weight", tensor(BF16, 5), "weight", "bf16", "f32")
                .wrong("residual", tensor(F32, 6, 2, 5), "residual", "[6, 2, 5]", "[6, 5]")
                .wrong("residual", tensor(BF16, 6, 5), "residual", "bf16", "f32")
                .wrong("out", tensor(F32, 5, 5), "out", "[5, 5]", "expected")
                .wrong("out", tensor(F32, 6, 3, 5), "out", "[6, 3, 5]", "expected")
                .wrong("out", tensor(BF16, 6, 5), "out", "bf16", "f32")
                .overlap("out", "in")
                .overlap("out", "residual")
                .overlap("out", "weight")
                .wrongCall("no such part", (ops, given) -> call(ops, given, 2), "part is 2", "1")
                .wrongCall("negative part", (ops, given) -> call(ops, given, -1), "part is -1")
                .tests();
    }

    private static void call(Ops ops, WrongInputs.Given given, int part) {
        ops.rmsNorm(
                given.tensor("in"),
                part,
                given.tensor("weight"),
                1,
                EPSILON,
                given.tensor("residual"),
                given.tensor("out"));
    }
}
