package io.sanavideo.runtime;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A direct buffer for what a program is handed, such as pictures. Whoever keeps it too long must
 * find it readable still, so that only the garbage collector may free it, some day; until then the
 * next one takes its place, and many of them one after the other take the memory of one.
 */
public final class LentBuffer implements AutoCloseable {
    private final AtomicReference<ByteBuffer> idle;
    private final ByteBuffer whole;
    private final ByteBuffer buffer;

    /**
     * @param idle where the last one may lie, and this one will when it is closed
     */
    LentBuffer(AtomicReference<ByteBuffer> idle, int bytes) {
        this.idle = idle;
        ByteBuffer last = idle.getAndSet(null);
        whole = last != null && last.capacity() >= bytes ? last : ByteBuffer.allocateDirect(bytes);
        buffer = whole.slice(0, bytes);
    }

    /** All of it; once this is closed its content may change at any time. */
    public ByteBuffer buffer() {
        return buffer;
    }

    @Override
    public void close() {
        idle.set(whole);
    }
}
