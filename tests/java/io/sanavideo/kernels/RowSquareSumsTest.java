package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RowSquareSumsTest extends KernelTest {
    record Case(DType dtype, int rows, int parts, int channels, int summed) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1, 1},
            {3, 3, 2, 2},
            {5, 3, 15, 2},
            {7, 3, 16, 3},
            {2, 1, 17, 1},
            {16, 2, 31, 1},
            {17, 3, 33, 2},
            {1, 3, 97, 2},
            {33, 1, 257, 1},
            {4, 3, 2240, 2},
            {47, 2, 701, 2}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void sumsSquares(Case c) {
        Values in = gaussian(c.dtype, c.rows, c.parts, c.channels);
        double[] expected = new double[c.rows * c.summed];
        for (int i = 0; i < expected.length; i++) {
            int begin = (i / c.summed * c.parts + i % c.summed) * c.channels;
            for (int k = 0; k < c.channels; k++) {
                expected[i] += in.at(begin + k) * in.at(begin + k);
            }
        }
        Tensor x = input(in);
        Values out = run(F32, shape(c.rows, c.summed), y -> ops.rowSquareSums(x, y));
        assertClose(out, expected, c.channels);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) -> ops.rowSquareSums(given.tensor("in"), given.tensor("out")))
                .needs("in", tensor(F32, 6, 3, 5))
                .needs("out", tensor(F32, 6, 2))
                .wrong("in", tensor(F32, 6, 15), "in", "[6, 15]", "expected")
                .wrong("out", tensor(F32, 5, 2), "out", "[5, 2]", "6")
                .wrong("out", tensor(F32, 6, 4), "out", "4", "3")
                .wrong("out", tensor(F32, 12), "out", "[12]", "expected")
                .wrong("out", tensor(BF16, 6, 2), "out", "bf16", "f32")
                .overlap("out", "in")
                .tests();
    }
}
