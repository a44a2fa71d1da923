package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
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
    void roundsHalvesToEvenAndClamps() {
        // 0 is the middle: 127.5.
        Values in = Values.of(F32, new double[] {0, -1e9, 1e9, -1, 1}, 5);
        Tensor x = input(in);
        Values out = run(U8, shape(5), y -> ops.toRgb8(x, y));
        assertSame(out, new Values(U8, shape(5), new float[] {128, 0, 255, 0, 255}));
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
