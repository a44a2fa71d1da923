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
    private final FrameHash hash;
    private int index;

    /** Begins the clip. */
    HashedFrames(ClipFormat format, FrameSink sink) {
        this(format, sink, 0, "");
    }

    /**
     * Goes on with a clip.
     *
     * @param done how many frames were there before
     * @param hashOfDone their chain
     */
    HashedFrames(ClipFormat format, FrameSink sink, int done, String hashOfDone) {
        this.format = format;
        this.sink = sink;
        hash = done == 0 ? new FrameHash() : new FrameHash(hashOfDone);
        index = done;
        sink.begin(format);
    }

    /** How many frames there were. */
    int count() {
        return index;
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
