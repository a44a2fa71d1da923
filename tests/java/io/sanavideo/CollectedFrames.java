package io.sanavideo;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** Keeps every frame that it is given. */
final class CollectedFrames implements FrameSink {
    private final List<byte[]> frames = new ArrayList<>();
    private ClipFormat format;

    @Override
    public void begin(ClipFormat clipFormat) {
        format = clipFormat;
    }

    @Override
    public void accept(Frame frame) {
        frames.add(frame.toBytes());
    }

    ClipFormat format() {
        return format;
    }

    /** Each frame's pixels, [height, width, 3]. */
    List<byte[]> frames() {
        return frames;
    }

    /** All pixels, [frames, height, width, 3]. */
    byte[] rgb() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        frames.forEach(all::writeBytes);
        return all.toByteArray();
    }
}
