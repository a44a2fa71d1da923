package io.sanavideo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ops that are repeated give what they would when called anew. */
class RecordingTest {
    @Test
    void onTheCpu() {
        repeats(Device.cpu(1));
    }

    @Tag("gpu")
    @Test
    void onACard() {
        repeats(Device.cuda(0));
    }

    private static void repeats(Device device) {
        try (Context context = Context.on(device);
                Tensor x = context.tensor(DType.F32, 3);
                Tensor sum = context.tensor(DType.F32, 3)) {
            sum.upload(0, 0, 0);
            x.upload(1, 2, 3);
            try (Recording recording = context.record(() -> context.ops().add(sum, x, sum))) {
                assertThat(sum.toFloats()).as("nothing ran yet").containsExactly(0, 0, 0);
                recording.play();
                recording.play();
                assertThat(sum.toFloats()).containsExactly(2, 4, 6);
                x.upload(10, 20, 30);
                recording.play();
                assertThat(sum.toFloats()).containsExactly(12, 24, 36);
            }
        }
    }

    @Tag("gpu")
    @Test
    void whatTakesFromTheHostIsRefused() {
        try (Context context = Context.cuda(0);
                Tensor x = context.tensor(DType.F32, 3)) {
            assertThatThrownBy(() -> context.record(() -> x.upload(1, 2, 3)))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("a copy to the device cannot be recorded");
            assertThatThrownBy(() -> context.record(x::toFloats))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("a copy from the device cannot be recorded");
            assertThatThrownBy(() -> context.record(() -> context.tensor(DType.F32, 3)))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("an allocation of 12 bytes cannot be recorded");
            x.upload(4, 5, 6);
            assertThat(x.toFloats()).as("the context runs on").containsExactly(4, 5, 6);
        }
    }

    @Tag("gpu")
    @Test
    void keepsScratchMemory() {
        try (Context context = Context.cuda(0);
                Tensor x = context.tensor(DType.F32, 3)) {
            x.upload(1, 2, 3);
            context.ops().requireFinite(x);
            long withScratch = context.memoryInUse();
            try (Recording recording = context.record(() -> context.ops().add(x, x, x))) {
                context.trim();
                assertThat(context.memoryInUse()).isEqualTo(withScratch);
            }
            context.trim();
            assertThat(context.memoryInUse()).isEqualTo(x.bytes()).isLessThan(withScratch);
        }
    }

    @Tag("gpu")
    @Test
    void endsWithItsContext() {
        Context context = Context.cuda(0);
        Tensor x = context.tensor(DType.F32, 3);
        Recording recording = context.record(() -> context.ops().add(x, x, x));
        context.close();
        assertThatThrownBy(recording::play)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }
}
