package io.sanavideo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class HostMemoryTest {
    private static final int BYTES = 10_000_000;

    @Test
    void isFreedWhenClosed() {
        long before = Pointer.totalBytes();

        HostMemory memory = new HostMemory(BYTES);
        assertThat(Pointer.totalBytes() - before).isGreaterThanOrEqualTo(BYTES);
        memory.close();
        memory.close();

        assertThat(Pointer.totalBytes()).isLessThanOrEqualTo(before);
        assertThatThrownBy(memory::buffer)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void buffersShareIt() {
        try (HostMemory memory = new HostMemory(BYTES)) {
            ByteBuffer buffer = memory.buffer();
            buffer.put(BYTES - 1, (byte) 7);

            assertThat(memory.bytes()).isEqualTo(BYTES);
            assertThat(buffer.remaining()).isEqualTo(BYTES);
            assertThat(buffer.isDirect()).isTrue();
            assertThat(memory.buffer().get(BYTES - 1)).isEqualTo((byte) 7);
        }
    }
}
