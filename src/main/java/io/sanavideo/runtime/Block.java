package io.sanavideo.runtime;

/**
 * A block of pixels that become channels of one.
 *
 * @param frames of the clip, 1 or more
 * @param height in pixels, 1 or more
 * @param width in pixels, 1 or more
 * @param order which place of the block a channel is of
 */
public record Block(int frames, int height, int width, Order order) {
    /** The values of {@code sv_block_order}, slowest first. */
    public enum Order {
        FRAME_ROW_COLUMN,
        FRAME_COLUMN_ROW
    }

    /** A block whose places go by frame, row and column. */
    public Block(int frames, int height, int width) {
        this(frames, height, width, Order.FRAME_ROW_COLUMN);
    }

    /** Pixels of it. */
    public int size() {
        return frames * height * width;
    }
}
