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

class InterleaveFramesTest extends KernelTest {
    record Case(DType dtype, int frames, int pixels, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {{1, 1, 1}, {1, 7, 3}, {2, 16, 16}, {3, 5, 17}, {5, 13, 31}, {3, 97, 8}};
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void splitsEachFrameInTwo(Case c) {
        Values in = gaussian(c.dtype, c.frames, c.pixels, 2L * c.channels);
        double[] expected = new double[in.length()];
        for (int i = 0; i < expected.length; i++) {
            int channel = i % c.channels;
            int pixel = i / c.channels % c.pixels;
            int frame = i / c.channels / c.pixels;
            int row = frame / 2 * c.pixels + pixel;
            expected[i] = in.at(row * 2 * c.channels + frame % 2 * c.channels + channel);
        }
        Tensor x = input(in);
        long[] shape = shape(2L * c.frames, c.pixels, c.channels);
        Values out = run(c.dtype, shape, y -> ops.interleaveFrames(x, y));
        assertSame(out, Values.of(c.dtype, expected, shape));
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.interleaveFrames(given.tensor("in"), given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 10))
                .needs("out", tensor(F32, 4, 3, 5))
                .wrong("in", tensor(F32, 6, 10), "in", "[6, 10]", "expected")
                .wrong("in", tensor(F32, 2, 3, 9), "9", "expected")
                .wrong("out", tensor(F32, 2, 3, 5), "out", "[2, 3, 5]", "[4, 3, 5]")
                .wrong("out", tensor(F32, 2, 3, 10), "out", "[2, 3, 10]", "[4, 3, 5]")
                .wrong("out", tensor(BF16, 4, 3, 5), "out", "bf16", "f32")
                .overlap("out", "in")
                .tests();
    }
}
