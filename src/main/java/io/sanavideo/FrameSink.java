package io.sanavideo;

/**
 * Takes the frames of a clip as they are decoded, in order, on the engine's thread. What it throws
 * ends the generation and reaches the caller.
 */
public interface FrameSink {
    /** Takes them to nowhere. */
    FrameSink NONE =
            new FrameSink() {
                @Override
                public void begin(ClipFormat format) {}

                @Override
                public void accept(Frame frame) {}
            };

    /** Called once, when size and number of frames are known and before the first of them. */
    void begin(ClipFormat format);

    /** Called for each frame; its pixels are valid until this returns. */
    void accept(Frame frame);
}
