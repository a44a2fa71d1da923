package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Activations on their own, and the gated GELU. */
class ActivationTest extends KernelTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 31, 97, 16384, 40009})
    void activates(int count) {
        for (DType dtype : FLOATS) {
            check(dtype, Activation.NONE, x -> x, count);
            check(dtype, Activation.SILU, KernelTest::silu, count);
            check(dtype, Activation.GELU_TANH, KernelTest::geluTanh, count);
        }
    }

    private void check(
            DType dtype, Activation activation, DoubleUnaryOperator function, int count) {
        Values in = gaussian(dtype, count);
        double[] expected = new double[count];
        for (int i = 0; i < count; i++) {
            expected[i] = function.applyAsDouble(in.at(i));
        }
        Tensor x = input(in);
        Values out = run(dtype, in.shape(), y -> ops.activate(x, activation, y));
        assertClose(out, expected, 1);
        Tensor inPlace = inOut(in);
        ops.activate(inPlace, activation, inPlace);
        assertSame(read(inPlace), out);
    }

    /** Far out an activation is the identity or zero: no overflow on the way there. */
    @ParameterizedTest
    @ValueSource(strings = {"SILU", "GELU_TANH"})
    void saturates(Activation activation) {
        for (DType dtype : FLOATS) {
            Values in = Values.of(dtype, new double[] {-3e38, -1e4, -200, 0, 200, 1e4, 3e38}, 7);
            Tensor x = input(in);
            Values out = run(dtype, in.shape(), y -> ops.activate(x, activation, y));
            for (int i = 0; i < in.length(); i++) {
                assertThat(out.at(i)).isCloseTo(Math.max(0, in.at(i)), within(1e-30));
            }
        }
    }

    record Case(DType dtype, int rows, int hidden) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1}, {5, 3}, {7, 16}, {3, 17}, {16, 31}, {2, 33}, {31, 97}, {2, 2304}, {47, 701}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void gates(Case c) {
        Values in = gaussian(c.dtype, c.rows, 2, c.hidden);
        double[] expected = new double[c.rows * c.hidden];
        for (int i = 0; i < expected.length; i++) {
            int begin = i / c.hidden * 2 * c.hidden + i % c.hidden;
            expected[i] = geluTanh(in.at(begin)) * in.at(begin + c.hidden);
        }
        Tensor x = input(in);
        assertClose(run(c.dtype, shape(c.rows, c.hidden), y -> ops.geglu(x, y)), expected, 1);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.activate(
                                        given.tensor("in"), Activation.SILU, given.tensor("out")))
                .needs("in", tensor(F32, 3, 5))
                .needs("out", tensor(F32, 3, 5))
                .wrong("out", tensor(F32, 5, 3), "out", "[5, 3]", "[3, 5]")
                .wrong("out", tensor(BF16, 3, 5), "out is bf16", "f32")
                .overlap("out", "in")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfTheGate() {
        return new WrongInputs((ops, given) -> ops.geglu(given.tensor("in"), given.tensor("out")))
                .needs("in", tensor(F32, 3, 2, 5))
                .needs("out", tensor(F32, 3, 5))
                .wrong("in", tensor(F32, 3, 10), "in", "[3, 10]", "expected")
                .wrong("in", tensor(F32, 3, 3, 5), "in", "[3, 3, 5]", "2")
                .wrong("out", tensor(F32, 3, 2, 5), "out", "[3, 2, 5]", "[3, 5]")
                .wrong("out", tensor(F32, 3, 6), "out", "[3, 6]", "[3, 5]")
                .wrong("out", tensor(BF16, 3, 5), "out", "bf16", "f32")
                .overlap("out", "in")
                .tests();
    }
}
