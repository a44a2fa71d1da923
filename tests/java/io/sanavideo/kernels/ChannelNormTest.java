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

class ChannelNormTest extends KernelTest {
    record Case(DType dtype, int rows, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1}, {5, 3}, {16, 15}, {17, 16}, {7, 17}, {31, 31}, {2, 32}, {33, 33}, {3, 96},
            {13, 97}, {2, 384}, {47, 701}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void normalises(Case c) {
        check(c, false);
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void normalisesAndActivates(Case c) {
        check(c, true);
    }

    private void check(Case c, boolean silu) {
        Values in = gaussian(c.dtype, c.rows, c.channels);
        Values gamma = gaussian(F32, c.channels);
        double[] expected = new double[in.length()];
        for (int row = 0; row < c.rows; row++) {
            double square = 0;
            for (int i = 0; i < c.channels; i++) {
                square += Math.pow(in.at(row * c.channels + i), 2);
            }
            for (int i = 0; i < c.channels; i++) {
                double unit = in.at(row * c.channels + i) / Math.max(Math.sqrt(square), 1e-12);
                double y = unit * Math.sqrt(c.channels) * gamma.at(i);
                expected[row * c.channels + i] = silu ? silu(y) : y;
            }
        }
        Tensor x = input(in);
        Tensor g = input(gamma);
        Values out = run(c.dtype, in.shape(), y -> ops.channelNorm(x, g, silu, y));
        assertClose(out, expected, c.channels);
        Tensor inPlace = inOut(in);
        ops.channelNorm(inPlace, g, silu, inPlace);
        assertSame(read(inPlace), out);
    }

    @Test
    void leavesZeroZeroAndSmallFinite() {
        Values in = Values.of(F32, new double[] {0, 0, 1e-15, 0}, 2, 2);
        Tensor x = input(in);
        Tensor gamma = input(Values.of(F32, new double[] {3, 5}, 2));
        Values out = run(F32, in.shape(), y -> ops.channelNorm(x, gamma, false, y));
        assertThat(out.data()).startsWith(0, 0).endsWith(0);
        assertWithin(out, new double[] {0, 0, 1e-15 / 1e-12 * Math.sqrt(2) * 3, 0}, 1e-6);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.channelNorm(
                                        given.tensor("in"),
                                        given.tensor("gamma"),
                                        true,
                                        given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 5))
                .needs("gamma", tensor(F32, 5))
                .needs("out", tensor(F32, 2, 3, 5))
                .wrong("gamma", tensor(F32, 3), "gamma", "[3]", "[5]")
                .wrong("gamma", tensor(BF16, 5), "gamma", "bf16", "f32")
                .wrong("out", tensor(F32, 2, 3, 6), "out", "[2, 3, 6]", "[2, 3, 5]")
                .wrong("out", tensor(BF16, 2, 3, 5), "out is bf16", "f32")
                .overlap("out", "in")
                .overlap("out", "gamma")
                .tests();
    }
}
