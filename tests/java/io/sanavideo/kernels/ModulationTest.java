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

class ModulationTest extends KernelTest {
    record Case(DType dtype, int groups, int rows, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {{1, 1, 1}, {1, 6, 17}, {3, 2, 16}, {2, 6, 33}, {5, 3, 31}, {1, 2, 2240}};
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void addsRowByRow(Case c) {
        check(c, c.rows);
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void addsOneRowToAll(Case c) {
        check(c, 1);
    }

    private void check(Case c, int embeddingRows) {
        Values table = gaussian(F32, c.rows, c.channels);
        Values embedding = gaussian(c.dtype, c.groups, embeddingRows, c.channels);
        double[] expected = new double[c.groups * c.rows * c.channels];
        for (int i = 0; i < expected.length; i++) {
            int row = i / c.channels % c.rows % embeddingRows;
            int group = i / c.channels / c.rows;
            expected[i] =
                    table.at(i % (c.rows * c.channels))
                            + embedding.at(
                                    (group * embeddingRows + row) * c.channels + i % c.channels);
        }
        Tensor t = input(table);
        Tensor e = input(embedding);
        long[] shape = shape(c.groups, c.rows, c.channels);
        // One addition in fp32: the double sum rounded to float, bit for bit.
        assertSame(run(F32, shape, y -> ops.modulation(t, e, y)), Values.of(F32, expected, shape));
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.modulation(
                                        given.tensor("table"),
                                        given.tensor("embedding"),
                                        given.tensor("out")))
                .needs("table", tensor(F32, 6, 5))
                .needs("embedding", tensor(F32, 3, 6, 5))
                .needs("out", tensor(F32, 3, 6, 5))
                .wrong("table", tensor(F32, 1, 6, 5), "table", "[1, 6, 5]", "expected")
                .wrong("table", tensor(BF16, 6, 5), "table", "bf16", "f32")
                .wrong("embedding", tensor(F32, 3, 2, 5), "embedding", "2", "6")
                .wrong("embedding", tensor(F32, 3, 6, 4), "embedding", "[3, 6, 4]", "5")
                .wrong("embedding", tensor(F32, 3, 5), "embedding", "[3, 5]", "expected")
                .wrong("out", tensor(F32, 2, 6, 5), "out", "[2, 6, 5]", "[3, 6, 5]")
                .wrong("out", tensor(BF16, 3, 6, 5), "out", "bf16", "f32")
                .overlap("out", "embedding")
                .overlap("out", "table")
                .tests();
    }
}
