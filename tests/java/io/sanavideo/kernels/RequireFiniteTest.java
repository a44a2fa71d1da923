package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.NumericsException;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequireFiniteTest extends KernelTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 31, 97, 16384, 40009})
    void findsOneBadElementAnywhere(int count) {
        for (DType dtype : FLOATS) {
            Values values = gaussian(dtype, count);
            values.data()[random.nextInt(count)] = Values.round(dtype, -3e38f);
            Tensor good = input(values);
            assertThatCode(() -> ops.requireFinite(good)).doesNotThrowAnyException();
            for (int position : new int[] {0, count - 1, random.nextInt(count)}) {
                for (float bad : new float[] {Float.NaN, 1 / 0f, -1 / 0f}) {
                    Values spoilt = values.part(0, count);
                    spoilt.data()[position] = bad;
                    Tensor in = input(spoilt);
                    assertThatThrownBy(() -> ops.requireFinite(in))
                            .as("%s at %d of %d", bad, position, count)
                            .isInstanceOf(NumericsException.class)
                            .hasMessageContaining("finite");
                }
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs((ops, given) -> ops.requireFinite(given.tensor("in")))
                .needs("in", tensor(F32, 2, 3))
                .tests();
    }
}
