package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.media.FrameHash;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** Hands pictures on as a clip's frames, in their order, and keeps the hash chain over them. */
final class HashedFrames implements Consumer<ByteBuffer> {
    private final ClipFormat format;
    private final FrameSink sink;
    private final FrameHash hash = new FrameHash();
    private int index;

    /** Begins the clip. */
    HashedFrames(ClipFormat format, FrameSink sink) {
        this.format = format;
        this.sink = sink;
        sink.begin(format);
    }

    /**
     * @param rgb [height, width, 3], from its position on
     */
    @Override
    public void accept(ByteBuffer rgb) {
        hash.update(rgb);
        sink.accept(new Frame(index++, format.width(), format.height(), rgb.asReadOnlyBuffer()));
    }

    /** The chain; empty where there was no frame, as on a dry context. */
    String hash() {
        return index == 0 ? "" : hash.hex();
    }
}
