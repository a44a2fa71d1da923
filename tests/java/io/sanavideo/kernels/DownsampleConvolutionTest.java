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

class DownsampleConvolutionTest extends KernelTest {
    record Case(DType dtype, int frames, int height, int width, int in, int out) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {3, 2, 2, 1, 320},
            {9, 2, 3, 3, 35},
            {2, 3, 2, 15, 16},
            {1, 4, 5, 16, 17},
            {3, 9, 6, 17, 15},
            {1, 8, 15, 32, 31},
            {2, 7, 10, 33, 1},
            {1, 14, 18, 48, 24},
            {2, 11, 11, 1, 33},
            {1, 4, 22, 97, 8},
            {1, 27, 42, 3, 5}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3], s[4]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void convolvesEverySecondPixel(Case c) {
        Values in = gaussian(c.dtype, c.frames, c.height, c.width, c.in);
        Values w = gaussian(c.dtype, c.out, c.in, 1, 3, 3);
        Values bias = gaussian(F32, c.out);
        Tensor x = input(in);
        Tensor b = input(bias);
        long[] shape = shape(c.frames, c.height / 2, c.width / 2, c.out);
        try (Weight packed = pack(WeightKind.CONVOLUTION, w)) {
            Values biased = run(c.dtype, shape, y -> ops.downsampleConvolution(x, packed, b, y));
            assertClose(biased, reference(c, in, w, bias), 9L * c.in);
            Values plain = run(c.dtype, shape, y -> ops.downsampleConvolution(x, packed, null, y));
            assertClose(plain, reference(c, in, w, null), 9L * c.in);
        }
    }

    /** The input is padded with zeros by one row below and one column on the right. */
    private static double[] reference(Case c, Values in, Values w, Values bias) {
        int height = (c.height + 1 - 3) / 2 + 1;
        int width = (c.width + 1 - 3) / 2 + 1;
        double[] out = new double[c.frames * height * width * c.out];
        for (int i = 0; i < out.length; i++) {
            int o = i % c.out;
            int x = i / c.out % width;
            int y = i / c.out / width % height;
            int t = i / c.out / width / height;
            out[i] = bias == null ? 0 : bias.at(o);
            for (int b = 0; b < 3; b++) {
                for (int d = 0; d < 3; d++) {
                    int row = 2 * y + b;
                    int column = 2 * x + d;
                    if (row == c.height || column == c.width) {
                        continue;
                    }
                    int pixel = ((t * c.height + row) * c.width + column) * c.in;
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
                                ops.downsampleConvolution(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        given.tensor("bias"),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 2, 6, 11, 6))
                .needs("weight", weight(WeightKind.CONVOLUTION, F32, 7, 6, 1, 3, 3))
                .allows("bias", tensor(F32, 7))
                .needs("out", tensor(F32, 2, 3, 5, 7))
                .wrong("in", tensor(F32, 6, 11, 6), "in", "[6, 11, 6]", "expected")
                .wrong("in", tensor(F32, 2, 6, 11, 8), "in", "8", "expected", "6")
                .wrong("in", tensor(F32, 2, 1, 11, 6), "1 rows and 11 columns", "at least 2")
                .wrong("in", tensor(F32, 2, 6, 1, 6), "6 rows and 1 columns", "at least 2")
                .wrong("in", tensor(BF16, 2, 6, 11, 6), "weight is f32", "bf16")
                .wrong("weight", weight(WeightKind.UPSAMPLE, F32, 7, 6, 3, 3), "weight", "kind")
                .wrong(
                        "weight",
                        weight(WeightKind.CONVOLUTION, F32, 7, 6, 3, 3, 3),
                        "weight",
                        "3 x 3 x 3",
                        "expected 1 x 3 x 3")
                .wrong(
                        "weight",
                        weight(WeightKind.CONVOLUTION, F32, 7, 6, 1, 3, 1),
                        "weight",
                        "1 x 3 x 1",
                        "expected 1 x 3 x 3")
                .wrong(
                        "weight",
                        weight(WeightKind.CONVOLUTION, F32, 7, 6, 1, 1, 3),
                        "weight",
                        "1 x 1 x 3",
                        "expected 1 x 3 x 3")
                .wrong("bias", tensor(F32, 6), "bias", "[6]", "[7]")
                .wrong("bias", tensor(BF16, 7), "bias", "bf16", "f32")
                .wrong("out", tensor(F32, 2, 6, 11, 7), "out", "[2, 6, 11, 7]", "[2, 3, 5, 7]")
                .wrong("out", tensor(F32, 2, 3, 6, 7), "out", "[2, 3, 6, 7]", "[2, 3, 5, 7]")
                .wrong("out", tensor(BF16, 2, 3, 5, 7), "out", "bf16", "f32")
                .overlap("out", "in")
                .tests();
    }
}
