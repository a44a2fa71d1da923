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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class LayerNormModulatedTest extends KernelTest {
    private static final float EPSILON = 1e-6f;

    record Case(DType dtype, int groups, int rowsPerGroup, int channels) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 61},
            {61, 1, 2},
            {1, 7, 3},
            {2, 1, 15},
            {3, 5, 16},
            {2, 9, 17},
            {1, 16, 31},
            {5, 3, 32},
            {1, 33, 33},
            {2, 4, 97},
            {1, 3, 112},
            {3, 2, 257},
            {1, 2, 2240},
            {3, 17, 701}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void normalisesAndModulates(Case c) {
        Values in = spread(c.dtype, c.groups, c.rowsPerGroup, c.channels);
        Values modulation = gaussian(F32, c.groups, 6, c.channels);
        double[] expected = reference(in, modulation, 3, 4);
        Tensor x = input(in);
        Tensor m = input(modulation);
        Values out = run(c.dtype, in.shape(), y -> ops.layerNormModulated(x, m, 3, 4, EPSILON, y));
        assertClose(out, expected, c.channels);

        Tensor inPlace = inOut(in);
        ops.layerNormModulated(inPlace, m, 3, 4, EPSILON, inPlace);
        assertSame(read(inPlace), out);
    }

    /**
     * Signs alternate: few channels that are nearly equal deviate so little that it costs accuracy.
     */
    private Values spread(DType dtype, long... shape) {
        int[] sign = {1};
        return Values.of(dtype, () -> (sign[0] = -sign[0]) * random.nextDouble(0.5, 2), shape);
    }

    private static double[] reference(Values in, Values modulation, int shiftRow, int scaleRow) {
        int channels = in.size(in.shape().length - 1);
        int rows = in.length() / channels;
        int groups = modulation.size(0);
        int modulationRows = modulation.size(1);
        double[] out = new double[in.length()];
        for (int row = 0; row < rows; row++) {
            double mean = 0;
            for (int c = 0; c < channels; c++) {
                mean += in.at(row * channels + c) / channels;
            }
            double variance = 0;
            for (int c = 0; c < channels; c++) {
                variance += Math.pow(in.at(row * channels + c) - mean, 2) / channels;
            }
            int group = row / (rows / groups) * modulationRows;
            for (int c = 0; c < channels; c++) {
                double y = (in.at(row * channels + c) - mean) / Math.sqrt(variance + EPSILON);
                double scale = modulation.at((group + scaleRow) * channels + c);
                double shift = modulation.at((group + shiftRow) * channels + c);
                out[row * channels + c] = y * (1 + scale) + shift;
            }
        }
        return out;
    }

    /**
     * A mean of m standard deviations costs a factor of m in accuracy; a variance taken as E[x^2] -
     * mean^2 would cost m^2, which is all of it here.
     */
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void keepsAccuracyFarFromZero(DType dtype) {
        double mean = 1000;
        Values in = Values.of(dtype, () -> mean + random.nextGaussian(), 9, 300);
        Values modulation = gaussian(F32, 1, 2, 300);
        Tensor x = input(in);
        Tensor m = input(modulation);
        Values out = run(dtype, in.shape(), y -> ops.layerNormModulated(x, m, 0, 1, EPSILON, y));
        double bound = dtype == F32 ? 1e-6 * mean : 4e-3;
        assertWithin(out, reference(in, modulation, 0, 1), bound);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs((ops, given) -> call(ops, given, 0, 1))
                .needs("in", tensor(F32, 6, 5))
                .needs("modulation", tensor(F32, 3, 2, 5))
                .needs("out", tensor(F32, 6, 5))
                .wrong("modulation", tensor(F32, 4, 2, 5), "modulation has 4 groups", "6 rows")
                .wrong("modulation", tensor(F32, 3, 2, 4), "modulation", "[3, 2, 4]", "5")
                .wrong("modulation", tensor(F32, 2, 5), "modulation", "[2, 5]", "5")
                .wrong("modulation", tensor(BF16, 3, 2, 5), "modulation", "bf16", "f32")
                .wrong("out", tensor(F32, 6, 4), "out", "[6, 4]", "[6, 5]")
                .wrong("out", tensor(BF16, 6, 5), "out is bf16", "f32")
                .overlap("out", "in")
                .overlap("out", "modulation")
                .wrongCall(
                        "shift row", (ops, given) -> call(ops, given, 2, 1), "shift_row is 2", "1")
                .wrongCall("negative", (ops, given) -> call(ops, given, -1, 1), "shift_row is -1")
                .wrongCall(
                        "scale row", (ops, given) -> call(ops, given, 0, 2), "scale_row is 2", "1")
                .tests();
    }

    private static void call(Ops ops, WrongInputs.Given given, int shiftRow, int scaleRow) {
        ops.layerNormModulated(
                given.tensor("in"),
                given.tensor("modulation"),
                shiftRow,
                scaleRow,
                EPSILON,
                given.tensor("out"));
    }
}
