package io.sanavideo.kernels;

import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * Long ops end early: here each has some hundred milliseconds of work left when it is cancelled.
 */
class CancellationTest extends KernelTest {
    @Test
    void stopsInsideALinearLayer() {
        Tensor in = zeros(6000, 4000);
        Weight weight = context.weight(WeightKind.LINEAR, F32, 4000, 4000);
        Tensor out = context.tensor(F32, 6000, 4000);
        assertStops(() -> ops.linear(in, weight, Epilogue.NONE, out));
        ops.linear(in.slice(0, 1), weight, Epilogue.NONE, out.slice(0, 1));
    }

    @Test
    void stopsInsideAFrameAttention() {
        Tensor qkv = zeros(1, 25000, 3, 64);
        Tensor out = context.tensor(F32, 1, 25000, 64);
        assertStops(() -> ops.frameAttention(qkv, out));
        Tensor few = zeros(1, 5, 3, 64);
        ops.frameAttention(few, out.reshape(25000, 64).slice(0, 5).reshape(1, 5, 64));
        assertThat(out.reshape(25000, 64).slice(0, 5).toFloats()).containsOnly(0);
    }

    private Tensor zeros(long... shape) {
        Tensor tensor = context.tensor(F32, shape);
        tensor.upload(Values.buffer((int) tensor.elements(), F32));
        return tensor;
    }

    /** Cancels an op as soon as it has taken scratch memory, which is the first thing it does. */
    private void assertStops(Runnable op) {
        long before = context.memoryInUse();
        CompletableFuture<Void> cancelled =
                CompletableFuture.runAsync(
                        () -> {
                            while (context.memoryInUse() == before) {
                                Thread.onSpinWait();
                            }
                            context.cancel();
                        });
        assertThatThrownBy(op::run)
                .isInstanceOf(CancelledException.class)
                .hasMessageContaining("cancelled");
        cancelled.join();
        context.resume();
    }
}
