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

class FrameAttentionTest extends KernelTest {
    record Case(DType dtype, int frames, int pixels, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1},
            {1, 5, 3},
            {2, 7, 12},
            {3, 15, 16},
            {1, 16, 17},
            {2, 17, 32},
            {1, 31, 33},
            {1, 64, 31},
            {2, 65, 48},
            {1, 63, 112},
            {1, 13, 384},
            {1, 257, 8},
            {1, 127, 65},
            {1, 95, 6},
            {1, 96, 7},
            {1, 97, 16},
            {1, 384, 9},
            {1, 385, 16},
            {2, 801, 5}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void attendsWithinEachFrame(Case c) {
        Values qkv = gaussian(c.dtype, c.frames, c.pixels, 3, c.channels);
        Tensor x = input(qkv);
        Values out =
                run(c.dtype, shape(c.frames, c.pixels, c.channels), y -> ops.frameAttention(x, y));
        assertClose(out, reference(c, qkv), c.pixels);
    }

    private static double[] reference(Case c, Values qkv) {
        double[] out = new double[c.frames * c.pixels * c.channels];
        for (int row = 0; row < c.frames * c.pixels; row++) {
            int frame = row / c.pixels * c.pixels;
            double[] logits = new double[c.pixels];
            for (int key = 0; key < c.pixels; key++) {
                for (int k = 0; k < c.channels; k++) {
                    logits[key] +=
                            qkv.at(row * 3 * c.channels + k)
                                    * qkv.at(((frame + key) * 3 + 1) * c.channels + k);
                }
                logits[key] /= Math.sqrt(c.channels);
            }
            double[] weights = softmax(logits);
            for (int key = 0; key < c.pixels; key++) {
                for (int k = 0; k < c.channels; k++) {
                    out[row * c.channels + k] +=
                            weights[key] * qkv.at(((frame + key) * 3 + 2) * c.channels + k);
                }
            }
        }
        return out;
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.frameAttention(given.tensor("qkv"), given.tensor("out")))
                .needs("qkv", tensor(F32, 2, 5, 3, 6))
                .needs("out", tensor(F32, 2, 5, 6))
                .wrong("qkv", tensor(F32, 2, 5, 18), "qkv", "[2, 5, 18]", "expected")
                .wrong("qkv", tensor(F32, 2, 5, 2, 6), "qkv", "[2, 5, 2, 6]", "3")
                .wrong("out", tensor(F32, 10, 6), "out", "[10, 6]", "[2, 5, 6]")
                .wrong("out", tensor(F32, 2, 5, 18), "out", "[2, 5, 18]", "[2, 5, 6]")
                .wrong("out", tensor(BF16, 2, 5, 6), "out", "bf16", "f32")
                .overlap("out", "qkv")
                .tests();
    }
}
