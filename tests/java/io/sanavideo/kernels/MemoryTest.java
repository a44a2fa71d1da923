package io.sanavideo.kernels;

import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.DoesNotFitException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import org.junit.jupiter.api.Test;

/** What a context counts as its memory, and what happens when there is none left. */
class MemoryTest extends KernelTest {
    private static final long TOO_MUCH = 1L << 50;

    @Test
    void countsTensorsUntilTheyAreClosed() {
        assertThat(context.memoryInUse()).isZero();
        Tensor first = context.tensor(F32, 10, 10);
        Tensor second = context.tensor(BF16, 7);
        assertThat(context.memoryInUse()).isEqualTo(414);
        first.slice(2, 3).close();
        assertThat(context.memoryInUse()).isEqualTo(414);
        first.close();
        first.close();
        assertThat(context.memoryInUse()).isEqualTo(14);
        second.close();
        assertThat(context.memoryInUse()).isZero();
        assertThat(context.memoryPeak()).isEqualTo(414);
    }

    /** Scratch of ops stays with the context, so that repeating an op needs no more. */
    @Test
    void doesNotGrowWhenAnOpIsRepeated() {
        Tensor in = input(gaussian(BF16, 67, 33));
        Weight weight = pack(WeightKind.LINEAR, gaussian(BF16, 35, 33));
        Tensor out = output(BF16, 67, 35);
        Tensor qkv = input(gaussian(F32, 2, 65, 3, 48));
        Tensor attended = output(F32, 2, 65, 48);
        ops.linear(in, weight, Epilogue.NONE, out);
        ops.frameAttention(qkv, attended);
        long once = context.memoryInUse();
        long peak = context.memoryPeak();
        for (int i = 0; i < 50; i++) {
            ops.linear(in, weight, Epilogue.NONE, out);
            ops.frameAttention(qkv, attended);
        }
        assertThat(context.memoryInUse()).isEqualTo(once);
        assertThat(context.memoryPeak()).isEqualTo(peak);
    }

    @Test
    void endsWithTheContext() {
        Context other = Context.cpu(1);
        Tensor tensor = other.tensor(F32, 3);
        Weight weight = other.weight(WeightKind.LINEAR, F32, 3, 3);
        other.close();
        assertThatThrownBy(tensor::toFloats).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(weight::bytes).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(other::memoryInUse)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        tensor.close();
        weight.close();
    }

    @Test
    void refusesWhatDoesNotFit() {
        Tensor small = context.tensor(F32, 25);
        assertThatThrownBy(() -> context.tensor(F32, TOO_MUCH))
                .isInstanceOf(DoesNotFitException.class)
                .hasMessageContainingAll("cannot allocate " + 4 * TOO_MUCH + " bytes", "100");
        assertThatThrownBy(() -> context.weight(WeightKind.LINEAR, BF16, 1 << 30, 1 << 20))
                .isInstanceOf(DoesNotFitException.class)
                .hasMessageContaining("cannot allocate");
        assertThat(context.memoryInUse()).isEqualTo(100);
        small.upload(new float[25]);
        assertThat(small.toFloats()).containsOnly(0);
    }
}
