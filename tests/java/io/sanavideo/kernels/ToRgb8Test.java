package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ToRgb8Test extends KernelTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 31, 97, 16384, 40009})
    void roundsForTheScreen(int count) {
        for (DType dtype : FLOATS) {
            Values in = uniform(dtype, -1.2, 1.2, count);
            float[] expected = new float[count];
            for (int i = 0; i < count; i++) {
                float unit = Math.min(1, Math.max(0, in.data()[i] / 2 + 0.5f));
                expected[i] = (float) Math.rint(unit * 255f);
            }
            Tensor x = input(in);
            Values out = run(U8, in.shape(), y -> ops.toRgb8(x, y));
            assertSame(out, new Values(U8, in.shape(), expected));
        }
    }

    @Test
    void clamps() {
        Values in = Values.of(F32, new double[] {-1e9, 1e9, -1, 1}, 4);
        Tensor x = input(in);
        Values out = run(U8, shape(4), y -> ops.toRgb8(x, y));
        assertSame(out, new Values(U8, shape(4), new float[] {0, 255, 0, 255}));
    }

    @Test
    void roundsHalvesToEven() {
        double[] halves =
                IntStream.range(0, 255)
                        .mapToDouble(k -> (float) ((k + 0.5) / 255 * 2 - 1))
                        .filter(x -> isHalf((float) x))
                        .toArray();
        // Those that a rounding up would get wrong lie above an even number.
        assertThat(Arrays.stream(halves).filter(x -> Math.floor(scaled((float) x)) % 2 == 0))
                .isNotEmpty();
        Values in = Values.of(F32, halves, halves.length);
        Tensor x = input(in);
        Values out = run(U8, in.shape(), y -> ops.toRgb8(x, y));
        float[] expected = new float[halves.length];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (float) Math.rint(scaled((float) halves[i]));
        }
        assertSame(out, new Values(U8, in.shape(), expected));
    }

    private static boolean isHalf(float x) {
        return scaled(x) - Math.floor(scaled(x)) == 0.5;
    }

    private static float scaled(float x) {
        return (x / 2 + 0.5f) * 255f;
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs((ops, given) -> ops.toRgb8(given.tensor("in"), given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 5))
                .needs("out", tensor(U8, 2, 3, 5))
                .wrong("out", tensor(U8, 31), "out", "[31]", "[2, 3, 5]")
                .wrong("out", tensor(F32, 2, 3, 5), "out", "f32", "u8")
                .wrong("in", tensor(U8, 2, 3, 5), "in is u8", "expected f32 or bf16")
                .tests();
    }
}
