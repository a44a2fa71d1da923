package io.sanavideo.weights;

import io.sanavideo.runtime.HostMemory;
import java.nio.ByteBuffer;

/** The buffer that weights pass on their way from a file to a device: a few megabytes, or a row. */
final class Staging implements AutoCloseable {
    private static final int BYTES = 4 << 20;

    private HostMemory memory = new HostMemory(BYTES);

    /** The buffer, which has room for so many bytes at least. What it held may be gone. */
    ByteBuffer buffer(long bytes) {
        if (bytes > memory.bytes()) {
            memory.close();
            memory = new HostMemory((int) bytes);
        }
        return memory.buffer();
    }

    @Override
    public void close() {
        memory.close();
    }
}
