package io.sanavideo.media;

import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;

/**
 * How a stored picture is to be turned and mirrored to stand upright: the pixel that is shown at
 * (x, y) is the stored one at (acrossX * x + acrossY * y, downX * x + downY * y), counted from the
 * edge where a factor is negative. Cameras that are held sideways say so, in Exif or in the header
 * of a video.
 */
record Orientation(int acrossX, int acrossY, int downX, int downY) {
    static final Orientation UPRIGHT = new Orientation(1, 0, 0, 1);

    /** Bytes of a display matrix: nine 32-bit numbers. */
    private static final int MATRIX_BYTES = 9 * Integer.BYTES;

    /**
     * Reads FFmpeg's display matrix (libavutil/display.h), where (x, y) of the stored picture is
     * shown at (a x + c y, b x + d y).
     *
     * @param matrix its bytes, or null for none
     * @throws IllegalArgumentException when it does not turn by a multiple of 90 degrees
     */
    static Orientation of(BytePointer matrix) {
        if (matrix == null || matrix.isNull()) {
            return UPRIGHT;
        }
        var numbers =
                new BytePointer(matrix)
                        .capacity(MATRIX_BYTES)
                        .asByteBuffer()
                        .order(ByteOrder.nativeOrder())
                        .asIntBuffer();
        int a = Integer.signum(numbers.get(0));
        int b = Integer.signum(numbers.get(1));
        int c = Integer.signum(numbers.get(3));
        int d = Integer.signum(numbers.get(4));
        boolean straight = a != 0 && d != 0 && b == 0 && c == 0;
        boolean sideways = a == 0 && d == 0 && b != 0 && c != 0;
        if (!straight && !sideways) {
            throw new IllegalArgumentException(
                    "it is to be shown turned by an angle that is not a multiple of 90 degrees: turn its pixels first");
        }
        // A matrix of this kind is turned back by its transpose.
        return new Orientation(a, b, c, d);
    }

    /** Whether width and height change places. */
    boolean isSideways() {
        return acrossX == 0;
    }

    /** Of a shown picture's pixel, the place among those of the stored one. */
    int stored(int x, int y, int storedWidth, int storedHeight) {
        int column = place(acrossX * x + acrossY * y, acrossX + acrossY, storedWidth);
        int row = place(downX * x + downY * y, downX + downY, storedHeight);
        return row * storedWidth + column;
    }

    private static int place(int offset, int direction, int size) {
        return direction < 0 ? size - 1 + offset : offset;
    }
}
