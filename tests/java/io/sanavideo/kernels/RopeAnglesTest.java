package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.runtime.Ops;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RopeAnglesTest extends KernelTest {
    record Case(int firstFrame, int frames, int height, int width, int headSize, double theta) {}

    static Stream<Case> grids() {
        return Stream.of(
                new Case(0, 1, 1, 1, 6, 10000),
                new Case(0, 2, 3, 5, 6, 10000),
                new Case(3, 5, 1, 7, 12, 10000),
                new Case(0, 3, 7, 2, 32, 100),
                new Case(17, 2, 5, 3, 48, 10000),
                new Case(1000, 3, 2, 31, 112, 10000),
                new Case(1023, 1, 2, 3, 112, 10000),
                new Case(1024, 2, 2, 3, 32, 10000),
                new Case(2400, 2, 3, 2, 112, 10000),
                new Case(5, 2, 31, 2, 256, 500000),
                new Case(1, 4, 3, 3, 10, 10000));
    }

    @ParameterizedTest
    @MethodSource("grids")
    void sharesPairsAmongTheAxes(Case c) {
        int tokens = c.frames * c.height * c.width;
        int pairs = c.headSize / 2;
        double[] expected = new double[tokens * pairs * 2];
        for (int token = 0; token < tokens; token++) {
            for (int pair = 0; pair < pairs; pair++) {
                double angle = angle(c, token, pair);
                expected[(token * pairs + pair) * 2] = Math.cos(angle);
                expected[(token * pairs + pair) * 2 + 1] = Math.sin(angle);
            }
        }
        Values out =
                run(
                        F32,
                        shape(tokens, pairs, 2),
                        y -> ops.ropeAngles(c.firstFrame, c.frames, c.height, c.width, c.theta, y));
        // Computed in double precision, so that only the rounding to f32 is left.
        for (int i = 0; i < expected.length; i++) {
            assertThat(out.at(i)).isCloseTo(expected[i], within(1e-7));
        }
    }

    private static double angle(Case c, int token, int pair) {
        int spatial = 2 * (c.headSize / 6);
        int temporal = c.headSize - 2 * spatial;
        int[] channels = {temporal, spatial, spatial};
        int[] positions = {
            c.firstFrame + token / (c.width * c.height), token / c.width % c.height, token % c.width
        };
        int axis = 0;
        int index = pair;
        while (index >= channels[axis] / 2) {
            index -= channels[axis] / 2;
            axis++;
        }
        return positions[axis] * Math.pow(c.theta, -2.0 * index / channels[axis]);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs((ops, given) -> call(ops, given, 0, 2))
                .needs("out", tensor(F32, 30, 4, 2))
                .wrong("out", tensor(F32, 31, 4, 2), "out", "[31, 4, 2]", "2 x 3 x 5")
                .wrong("out", tensor(F32, 30, 8), "out", "[30, 8]", "expected")
                .wrong("out", tensor(F32, 30, 2, 2), "out", "2", "6")
                .wrong("out", tensor(F32, 30, 4, 3), "out", "[30, 4, 3]", "2")
                .wrong("out", tensor(BF16, 30, 4, 2), "out", "bf16", "f32")
                .wrongCall("negative", (ops, given) -> call(ops, given, -1, 2), "first_frame is -1")
                .wrongCall("no frames", (ops, given) -> call(ops, given, 0, 0), "grid is 0 x 3 x 5")
                .wrongCall(
                        "negative height",
                        (ops, given) -> ops.ropeAngles(0, 2, -3, 5, 1e4, given.tensor("out")),
                        "-3",
                        "expected")
                .wrongCall(
                        "theta",
                        (ops, given) -> ops.ropeAngles(0, 2, 3, 5, 0, given.tensor("out")),
                        "theta is 0")
                .tests();
    }

    private static void call(Ops ops, WrongInputs.Given given, long firstFrame, long frames) {
        ops.ropeAngles(firstFrame, frames, 3, 5, 10000, given.tensor("out"));
    }
}
