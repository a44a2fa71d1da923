package io.sanavideo.media;

import java.nio.ByteBuffer;

/** A clip with a known answer: a square of one colour that moves right over a background. */
record MovingSquare(int width, int height, int side, int square, int background) {
    static final int RED = 0xD02020;
    static final int DARK = 0x101820;

    static MovingSquare of(int width, int height) {
        return new MovingSquare(width, height, height / 4, RED, DARK);
    }

    /** The square's left edge in frame {@code index}. */
    int left(int index) {
        return (4 * index) % (width - side);
    }

    int top() {
        return height / 8;
    }

    ByteBuffer frame(int index) {
        ByteBuffer rgb = ByteBuffer.allocateDirect(width * height * 3);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int colour = inside(index, x, y) ? square : background;
                rgb.put((byte) (colour >> 16)).put((byte) (colour >> 8)).put((byte) colour);
            }
        }
        return rgb.flip();
    }

    /**
     * The largest difference of any channel from the true frame, {@code margin} pixels from edges.
     */
    int largestError(int index, ByteBuffer rgb, int margin) {
        ByteBuffer truth = frame(index);
        int largest = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                if (nearEdge(index, x, y, margin)) {
                    continue;
                }
                for (int c = 0; c < 3; c++) {
                    int at = (y * width + x) * 3 + c;
                    int error = Math.abs((rgb.get(at) & 0xFF) - (truth.get(at) & 0xFF));
                    largest = Math.max(largest, error);
                }
            }
        }
        return largest;
    }

    /** How far a coordinate lies outside of the square's extent; negative inside of it. */
    private int outward(int coordinate, int begin) {
        return Math.max(begin - coordinate, coordinate - (begin + side - 1));
    }

    private boolean inside(int index, int x, int y) {
        return outward(x, left(index)) <= 0 && outward(y, top()) <= 0;
    }

    private boolean nearEdge(int index, int x, int y, int margin) {
        int outward = outward(x, left(index));
        int upward = outward(y, top());
        return margin > 0 && Math.abs(Math.max(outward, upward)) <= margin;
    }

    void writeAll(ClipWriter writer, int frames) {
        for (int i = 0; i < frames; i++) {
            writer.write(frame(i));
        }
    }
}
