package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.kernels.WrongInputs.weight;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UpsampleConvolutionTest extends KernelTest {
    record Case(DType dtype, int frames, int height, int width, int in, int out) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {3, 1, 1, 1, 320},
            {9, 1, 2, 3, 35},
            {2, 2, 1, 15, 16},
            {1, 3, 4, 16, 17},
            {3, 5, 3, 17, 15},
            {1, 4, 7, 32, 31},
            {2, 3, 5, 33, 1},
            {1, 7, 9, 48, 24},
            {2, 5, 5, 1, 33},
            {1, 2, 11, 97, 8},
            {1, 13, 21, 3, 5}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3], s[4]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void doublesAndConvolves(Case c) {
        Values in = gaussian(c.dtype, c.frames, c.height, c.width, c.in);
        Values w = gaussian(c.dtype, c.out, c.in, 3, 3);
        Values bias = gaussian(F32, c.out);
        Tensor x = input(in);
        Tensor b = input(bias);
        long[] shape = shape(c.frames, 2 * c.height, 2 * c.width, c.out);
        try (Weight packed = pack(WeightKind.UPSAMPLE, w)) {
            Values biased = run(c.dtype, shape, y -> ops.upsampleConvolution(x, packed, b, y));
            assertClose(biased, reference(c, in, w, bias), 9L * c.in);
            Values plain = run(c.dtype, shape, y -> ops.upsampleConvolution(x, packed, null, y));
            assertClose(plain, reference(c, in, w, null), 9L * c.in);
        }
    }

    private static double[] reference(Case c, Values in, Values w, Values bias) {
        double[] out = new double[c.frames * 4 * c.height * c.width * c.out];
        for (int i = 0; i < out.length; i++) {
            int o = i % c.out;
            int x = i / c.out % (2 * c.width);
            int y = i / c.out / (2 * c.width) % (2 * c.height);
            int t = i / c.out / (4 * c.width * c.height);
            out[i] = bias == null ? 0 : bias.at(o);
            for (int b = 0; b < 3; b++) {
                for (int d = 0; d < 3; d++) {
                    int row = y + b - 1;
                    int column = x + d - 1;
                    if (row < 0 || row >= 2 * c.height || column < 0 || column >= 2 * c.width) {
                        continue;
                    }
                    int pixel = ((t * c.height + row / 2) * c.width + column / 2) * c.in;
                    for (int k = 0; k < c.in; k++) {
                        out[i] += in.at(pixel + k) * w.at(((o * c.in + k) * 3 + b) * 3 + d);
                    }
                }
            }
        }
        return out;
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.upsampleConvolution(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        given.tensor("bias"),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 5, 6))
                .needs("weight", weight(WeightKind.UPSAMPLE, F32, 7, 6, 3, 3))
                .allows("bias", tensor(F32, 7))
                .needs("out", tensor(F32, 2, 6, 10, 7))
                .wrong("in", tensor(F32, 6, 5, 6), "in", "[6, 5, 6]", "expected")
                .wrong("in", tensor(F32, 2, 3, 5, 8), "in", "8", "expected", "6")
                .wrong("in", tensor(BF16, 2, 3, 5, 6), "weight is f32", "bf16")
                .wrong("weight", weight(WeightKind.DEPTHWISE, F32, 6, 1, 3, 3), "weight", "kind")
                .wrong("bias", tensor(F32, 6), "bias", "[6]", "[7]")
                .wrong("bias", tensor(BF16, 7), "bias", "bf16", "f32")
                .wrong("out", tensor(F32, 2, 3, 5, 7), "out", "[2, 3, 5, 7]", "[2, 6, 10, 7]")
                .wrong("out", tensor(F32, 2, 6, 10, 6), "out", "[2, 6, 10, 6]", "[2, 6, 10, 7]")
                .wrong("out", tensor(BF16, 2, 6, 10, 7), "out", "bf16", "f32")
                .overlap("out", "in")
                .tests();
    }
}
