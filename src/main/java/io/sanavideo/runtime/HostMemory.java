package io.sanavideo.runtime;

import io.sanavideo.DoesNotFitException;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;

/**
 * Memory outside of the Java heap that devices copy from and to. It is freed when closed, whereas a
 * direct buffer of Java's own stays until the garbage collector comes across it.
 */
public final class HostMemory implements AutoCloseable {
    private final BytePointer memory;

    /**
     * @throws DoesNotFitException when there is not as much
     */
    public HostMemory(int bytes) {
        try {
            memory = new BytePointer((long) bytes);
        } catch (OutOfMemoryError e) {
            throw new DoesNotFitException(
                    "%d bytes of host memory cannot be had: %s".formatted(bytes, e.getMessage()),
                    e);
        }
    }

    /** Size in bytes. */
    public int bytes() {
        return (int) memory.capacity();
    }

    /**
     * All of it as a buffer, not to be used once this is closed.
     *
     * @throws IllegalStateException when it is closed already
     */
    public ByteBuffer buffer() {
        if (memory.isNull()) {
            throw new IllegalStateException("this host memory is closed");
        }
        return memory.asByteBuffer();
    }

    @Override
    public void close() {
        memory.deallocate();
    }
}
