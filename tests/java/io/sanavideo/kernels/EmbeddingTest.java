package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EmbeddingTest extends KernelTest {
    /** As Gemma-2 has it: the square root of the width, which bf16 does not hold. */
    private static final float SCALE = (float) Math.sqrt(2304 + 1);

    record Case(DType dtype, int vocabulary, int channels, int count) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1},
            {7, 3, 5},
            {31, 16, 17},
            {97, 17, 31},
            {13, 33, 16},
            {5, 2304, 2},
            {11, 701, 47}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void looksUpAndScales(Case c) {
        Values table = gaussian(c.dtype, c.vocabulary, c.channels);
        int[] ids = random.ints(c.count, 0, c.vocabulary).toArray();
        ids[c.count - 1] = c.vocabulary - 1;
        float scale = Values.round(c.dtype, SCALE);
        float[] expected = new float[c.count * c.channels];
        for (int i = 0; i < expected.length; i++) {
            float element = table.data()[ids[i / c.channels] * c.channels + i % c.channels];
            expected[i] = Values.round(c.dtype, element * scale);
        }
        Tensor t = input(table);
        long[] shape = shape(c.count, c.channels);
        Values out = run(c.dtype, shape, y -> ops.embedding(t, ids, SCALE, y));
        assertSame(out, new Values(c.dtype, shape, expected));
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs((ops, given) -> call(ops, given, 0, 6, 2))
                .needs("table", tensor(F32, 7, 5))
                .needs("out", tensor(F32, 3, 5))
                .wrong("table", tensor(F32, 35), "table", "[35]", "expected")
                .wrong("out", tensor(F32, 4, 5), "out", "[4, 5]", "[3, 5]")
                .wrong("out", tensor(F32, 3, 7), "out", "[3, 7]", "[3, 5]")
                .wrong("out", tensor(BF16, 3, 5), "out", "bf16", "f32")
                .wrongCall("an id beyond", (o, g) -> call(o, g, 0, 7, 2), "id 1 is 7", "0 to 6")
                .wrongCall("a negative id", (o, g) -> call(o, g, 0, 1, -1), "id 2 is -1", "0 to 6")
                .wrongCall(
                        "no ids",
                        (o, g) -> o.embedding(g.tensor("table"), new int[0], 1, g.tensor("out")),
                        "count is 0")
                .tests();
    }

    private static void call(Ops ops, WrongInputs.Given given, int... ids) {
        ops.embedding(given.tensor("table"), ids, 1, given.tensor("out"));
    }
}
