package io.sanavideo.media;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * What the forms of {@link ClipWriter} share: the order of calls, and the output's one-step commit.
 */
abstract class AbstractClipWriter implements ClipWriter {
    private enum State {
        OPEN,
        FINISHED,
        FAILED,
        CLOSED
    }

    final PartialOutput output;
    final int width;
    final int height;
    private int frames;
    private State state = State.OPEN;

    AbstractClipWriter(PartialOutput output, int width, int height) {
        this.output = output;
        this.width = width;
        this.height = height;
    }

    /**
     * @throws IllegalArgumentException if a side is not 1 to 16384 pixels
     */
    static void requireSize(int width, int height) {
        if (width < 1 || height < 1 || width > 16384 || height > 16384) {
            throw new IllegalArgumentException(
                    "cannot write frames of %dx%d pixels; each side must be 1 to 16384"
                            .formatted(width, height));
        }
    }

    /** Appends frame number {@code index}, reading {@code rgb} without moving its position. */
    abstract void append(int index, ByteBuffer rgb) throws IOException;

    /**
     * Writes what is still missing; afterwards the output is whole and all handles on it closed. A
     * form without a place for chapters leaves them.
     */
    abstract void complete(Map<String, String> metadata, List<Chapter> chapters) throws IOException;

    /** Frees what the writer holds; called once, after complete or instead of it. */
    abstract void release();

    @Override
    public final void write(ByteBuffer rgb) {
        requireOpen();
        int expected = height * width * 3;
        if (rgb.remaining() != expected) {
            throw new IllegalArgumentException(
                    "a frame of %dx%d pixels has %d bytes of RGB, but %d were given"
                            .formatted(width, height, expected, rgb.remaining()));
        }
        state = State.FAILED;
        try {
            append(frames, rgb);
        } catch (IOException e) {
            throw output.failure(e);
        }
        frames++;
        state = State.OPEN;
    }

    @Override
    public final void finish(Map<String, String> metadata, List<Chapter> chapters) {
        requireOpen();
        if (frames == 0) {
            throw new IllegalStateException(
                    "no frame was written, so there is no clip to finish: " + output.target());
        }
        requireStorable(metadata);
        Chapter.requireCovering(chapters, frames);
        state = State.FAILED;
        try {
            complete(metadata, chapters);
        } catch (IOException e) {
            throw output.failure(e);
        }
        output.commit();
        state = State.FINISHED;
    }

    @Override
    public final void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        try (output) {
            release();
        }
    }

    /**
     * @throws IllegalArgumentException if a key or value has no place in a file
     */
    static void requireStorable(Map<String, String> metadata) {
        metadata.forEach(AbstractClipWriter::requireStorable);
    }

    private static void requireStorable(String key, String value) {
        if (key.isEmpty() || key.indexOf('\0') >= 0 || value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "cannot store the metadata \"%s\": a key must not be empty, and neither key nor value may hold the character U+0000"
                            .formatted(key));
        }
    }

    private void requireOpen() {
        if (state != State.OPEN) {
            throw new IllegalStateException(
                    "the writer of %s is %s"
                            .formatted(
                                    output.target(),
                                    switch (state) {
                                        case FINISHED -> "finished";
                                        case FAILED -> "unusable after a failure; close it";
                                        default -> "closed";
                                    }));
        }
    }
}
