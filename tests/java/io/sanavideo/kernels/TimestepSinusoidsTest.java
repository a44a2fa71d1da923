package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TimestepSinusoidsTest extends KernelTest {
    record Case(DType dtype, int count, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {{1, 2}, {1, 256}, {3, 6}, {21, 32}, {2, 34}, {5, 62}};
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void tabulates(Case c) {
        double[] timesteps = random.doubles(c.count, 0, 1000).toArray();
        int half = c.channels / 2;
        double[] expected = new double[c.count * c.channels];
        for (int i = 0; i < expected.length; i++) {
            double frequency = Math.exp(-Math.log(10000) * (i % half) / half);
            double angle = timesteps[i / c.channels] * frequency;
            expected[i] = i % c.channels < half ? Math.cos(angle) : Math.sin(angle);
        }
        Values out =
                run(c.dtype, shape(c.count, c.channels), y -> ops.timestepSinusoids(timesteps, y));
        assertClose(out, expected, 1);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.timestepSinusoids(
                                        new double[] {999, 0, 12.5}, given.tensor("out")))
                .needs("out", tensor(F32, 3, 6))
                .wrong("out", tensor(F32, 18), "out", "[18]", "expected")
                .wrong("out", tensor(F32, 2, 6), "out", "[2, 6]", "3")
                .wrong("out", tensor(F32, 3, 7), "out", "7", "even")
                .wrongCall(
                        "an infinite timestep",
                        (ops, given) ->
                                ops.timestepSinusoids(
                                        new double[] {1, 2, 1 / 0.0}, given.tensor("out")),
                        "timestep 2 is inf")
                .wrongCall(
                        "no timesteps",
                        (ops, given) -> ops.timestepSinusoids(new double[0], given.tensor("out")),
                        "count is 0")
                .tests();
    }
}
