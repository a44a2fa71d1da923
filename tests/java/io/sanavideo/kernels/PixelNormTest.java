package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PixelNormTest extends KernelTest {
    record Case(DType dtype, int rows, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1}, {5, 3}, {16, 15}, {17, 16}, {7, 17}, {31, 31}, {2, 32}, {33, 33}, {3, 128},
            {13, 97}, {2, 1024}, {47, 701}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void normalises(Case c) {
        check(c, 1e-8f, false);
    }

    /** An epsilon that matters. */
    @ParameterizedTest
    @MethodSource("shapes")
    void normalisesAndActivates(Case c) {
        check(c, 0.75f, true);
    }

    private void check(Case c, float epsilon, boolean silu) {
        Values in = gaussian(c.dtype, c.rows, c.channels);
        double[] expected = new double[in.length()];
        for (int row = 0; row < c.rows; row++) {
            double square = 0;
            for (int i = 0; i < c.channels; i++) {
                square += Math.pow(in.at(row * c.channels + i), 2);
            }
            for (int i = 0; i < c.channels; i++) {
                double y = in.at(row * c.channels + i) / Math.sqrt(square / c.channels + epsilon);
                expected[row * c.channels + i] = silu ? silu(y) : y;
            }
        }
        Tensor x = input(in);
        Values out = run(c.dtype, in.shape(), y -> ops.pixelNorm(x, epsilon, silu, y));
        assertClose(out, expected, c.channels);
        Tensor inPlace = inOut(in);
        ops.pixelNorm(inPlace, epsilon, silu, inPlace);
        assertSame(read(inPlace), out);
    }

    @Test
    void leavesZeroZero() {
        Tensor x = input(Values.of(F32, new double[] {0, 0, 3e-5, -4e-5}, 2, 2));
        Values out = run(F32, shape(2, 2), y -> ops.pixelNorm(x, 1e-8f, false, y));
        assertThat(out.data()).startsWith(0, 0);
        double root = Math.sqrt(12.5e-10 + 1e-8);
        assertWithin(out, new double[] {0, 0, 3e-5 / root, -4e-5 / root}, 1e-6);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.pixelNorm(given.tensor("in"), 1e-8f, true, given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 5))
                .needs("out", tensor(F32, 2, 3, 5))
                .wrong("out", tensor(F32, 2, 3, 6), "out", "[2, 3, 6]", "[2, 3, 5]")
                .wrong("out", tensor(BF16, 2, 3, 5), "out is bf16", "f32")
                .overlap("out", "in")
                .wrongCall(
                        "a negative epsilon",
                        (ops, given) ->
                                ops.pixelNorm(given.tensor("in"), -1f, true, given.tensor("out")),
                        "epsilon",
                        "-1")
                .tests();
    }
}
