package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FromRgb8Test extends KernelTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 31, 97, 16384, 40009})
    void spreadsBytesOverColours(int count) {
        float[] bytes = new float[count];
        double[] colours = new double[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = random.nextInt(256);
            colours[i] = bytes[i] / 127.5f - 1f;
        }
        Tensor x = input(new Values(U8, shape(count), bytes));
        for (DType dtype : FLOATS) {
            Values out = run(dtype, shape(count), y -> ops.fromRgb8(x, y));
            assertSame(out, Values.of(dtype, colours, count));
        }
    }

    /** A picture comes back from the screen as it was. */
    @Test
    void isTheInverseOfToRgb8() {
        float[] bytes = new float[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = i;
        }
        Values all = new Values(U8, shape(256), bytes);
        Tensor x = input(all);
        for (DType dtype : FLOATS) {
            Values colours = run(dtype, shape(256), y -> ops.fromRgb8(x, y));
            assertThat(colours.data()[0]).isEqualTo(-1);
            assertThat(colours.data()[255]).isEqualTo(1);
            Tensor back = input(colours);
            Values out = run(U8, shape(256), y -> ops.toRgb8(back, y));
            assertSame(out, all);
        }
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) -> ops.fromRgb8(given.tensor("in"), given.tensor("out")))
                .needs("in", tensor(U8, 2, 3, 5))
                .needs("out", tensor(F32, 2, 3, 5))
                .wrong("out", tensor(F32, 31), "out", "[31]", "[2, 3, 5]")
                .wrong("out", tensor(U8, 2, 3, 5), "out is u8", "expected f32 or bf16")
                .wrong("in", tensor(F32, 2, 3, 5), "in is f32", "expected u8")
                .tests();
    }
}
