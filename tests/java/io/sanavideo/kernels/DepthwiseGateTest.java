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

class DepthwiseGateTest extends KernelTest {
    record Case(DType dtype, int frames, int height, int width, int hidden) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1, 1},
            {1, 1, 5, 3},
            {2, 4, 1, 16},
            {1, 2, 2, 15},
            {3, 3, 3, 17},
            {1, 5, 7, 31},
            {2, 8, 8, 32},
            {1, 7, 16, 33},
            {1, 16, 17, 64},
            {2, 9, 13, 65},
            {1, 3, 31, 97},
            {5, 2, 3, 128},
            {1, 2, 3, 255},
            {1, 3, 2, 256},
            {2, 2, 3, 257},
            {1, 3, 3, 601}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void convolvesAndGates(Case c) {
        Values in = gaussian(c.dtype, c.frames, c.height, c.width, 2L * c.hidden);
        Values w = gaussian(c.dtype, 2L * c.hidden, 1, 3, 3);
        Values bias = gaussian(F32, 2L * c.hidden);
        Tensor x = input(in);
        Tensor b = input(bias);
        try (Weight packed = pack(WeightKind.DEPTHWISE, w)) {
            Values out =
                    run(
                            c.dtype,
                            shape(c.frames, c.height, c.width, c.hidden),
                            y -> ops.depthwiseGate(x, packed, b, y));
            assertClose(out, reference(c, in, w, bias), 9);
        }
    }

    private static double[] reference(Case c, Values in, Values w, Values bias) {
        double[] out = new double[c.frames * c.height * c.width * c.hidden];
        for (int i = 0; i < out.length; i++) {
            int pixel = i / c.hidden;
            int channel = i % c.hidden;
            out[i] =
                    convolved(c, in, w, bias, pixel, channel)
                            * silu(convolved(c, in, w, bias, pixel, channel + c.hidden));
        }
        return out;
    }

    private static double convolved(
            Case c, Values in, Values w, Values bias, int pixel, int channel) {
        int x = pixel % c.width;
        int y = pixel / c.width % c.height;
        int t = pixel / c.width / c.height;
        double sum = bias.at(channel);
        for (int row = Math.max(0, y - 1); row <= Math.min(c.height - 1, y + 1); row++) {
            for (int column = Math.max(0, x - 1);
                    column <= Math.min(c.width - 1, x + 1);
                    column++) {
                int source = (t * c.height + row) * c.width + column;
                int tap = (row - y + 1) * 3 + column - x + 1;
                sum += in.at(source * 2 * c.hidden + channel) * w.at(channel * 9 + tap);
            }
        }
        return sum;
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.depthwiseGate(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        given.tensor("bias"),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 5, 6))
                .needs("weight", weight(WeightKind.DEPTHWISE, F32, 6, 1, 3, 3))
                .needs("bias", tensor(F32, 6))
                .needs("out", tensor(F32, 2, 3, 5, 3))
                .wrong("in", tensor(F32, 6, 5, 6), "in", "[6, 5, 6]", "expected")
                .wrong("in", tensor(F32, 2, 3, 5, 8), "in", "8", "expected", "6")
                .wrong("in", tensor(BF16, 2, 3, 5, 6), "weight is f32", "bf16")
                .wrong("weight", weight(WeightKind.UPSAMPLE, F32, 6, 1, 3, 3), "weight", "kind")
                .wrong("weight", weight(WeightKind.DEPTHWISE, F32, 3, 1, 3, 3), "3", "6")
                .wrong("bias", tensor(F32, 3), "bias", "[3]", "[6]")
                .wrong("bias", tensor(BF16, 6), "bias", "bf16", "f32")
                .wrong("out", tensor(F32, 2, 3, 5, 6), "out", "[2, 3, 5, 6]", "[2, 3, 5, 3]")
                .wrong("out", tensor(F32, 2, 5, 3, 3), "out", "[2, 5, 3, 3]", "[2, 3, 5, 3]")
                .wrong("out", tensor(BF16, 2, 3, 5, 3), "out", "bf16", "f32")
                .overlap("out", "in")
                .tests();
    }
}
