package io.sanavideo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TensorTest {
    @Test
    void viewsShareMemoryAndEndWithTheirOwner() {
        try (Context context = Context.cpu(2)) {
            Tensor tensor = context.tensor(DType.F32, 3, 2);
            tensor.upload(1, 2, 3, 4, 5, 6);
            Tensor last = tensor.slice(2, 1).reshape(2);
            assertThat(last.toFloats()).containsExactly(5, 6);
            last.upload(7, 8);
            assertThat(tensor.toFloats()).containsExactly(1, 2, 3, 4, 7, 8);
            tensor.close();
            assertThatThrownBy(last::toFloats)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed");
            assertThat(context.memoryInUse()).isZero();
        }
    }

    @Test
    void roundsToNearestEvenInBf16() {
        try (Context context = Context.cpu(1)) {
            Tensor tensor = context.tensor(DType.BF16, 4);
            // Halfway between two bf16 numbers, the even one is below for 1 + 2^-8, above for 1 +
            // 3*2^-8.
            tensor.upload(1 + 0x1p-8f, 1 + 3 * 0x1p-8f, -1 - 0x1p-8f, Float.POSITIVE_INFINITY);
            assertThat(tensor.toFloats())
                    .containsExactly(1, 1 + 0x1p-6f, -1, Float.POSITIVE_INFINITY);
        }
    }

    @Test
    void combinesInOrder() {
        try (Context context = Context.cpu(1)) {
            Tensor a = context.tensor(DType.F32, 2);
            Tensor b = context.tensor(DType.F32, 2);
            a.upload(1, 2);
            b.upload(10, 20);
            context.ops().combine(new float[] {2, -1}, new Tensor[] {a, b}, a);
            assertThat(a.toFloats()).containsExactly(-8, -16);
        }
    }

    @Test
    void refusesWhatIsClosedOrWrong() {
        Context context = Context.cpu(1);
        Tensor tensor = context.tensor(DType.F32, 4);
        assertThatThrownBy(() -> tensor.reshape(3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 elements")
                .hasMessageContaining("4");
        assertThatThrownBy(() -> tensor.slice(3, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("slices 3 to 4");
        assertThatThrownBy(() -> context.tensor(DType.F32, 1L << 60))
                .hasMessageContaining("cannot allocate");
        assertThatThrownBy(() -> context.ops().add(tensor, null, tensor))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("other is null");
        context.close();
        assertThatThrownBy(tensor::toFloats).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> context.tensor(DType.F32, 1))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(context::cancel).isInstanceOf(IllegalStateException.class);
        context.close();
    }
}
