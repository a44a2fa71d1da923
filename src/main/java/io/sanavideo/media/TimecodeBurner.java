package io.sanavideo.media;

import java.nio.ByteBuffer;

/**
 * Writes each frame's {@link Timecode} into its picture: white on a black box in the lower left
 * corner, about a twentieth of the picture's height. The digits are drawn from a small table, so
 * that no font is needed and every machine makes the same pixels.
 */
public final class TimecodeBurner {
    private static final int GLYPH_HEIGHT = 7;
    private static final int PADDING = 2;
    private static final int LINES_PER_HEIGHT = 20;

    /** Rows of each glyph from above; the widest digit has five columns, the colon one. */
    private static final String[][] GLYPHS = {
        {".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###."},
        {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."},
        {".###.", "#...#", "....#", "..##.", ".#...", "#....", "#####"},
        {".###.", "#...#", "....#", "..##.", "....#", "#...#", ".###."},
        {"...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."},
        {"#####", "#....", "####.", "....#", "....#", "#...#", ".###."},
        {".###.", "#....", "#....", "####.", "#...#", "#...#", ".###."},
        {"#####", "....#", "...#.", "..#..", "..#..", ".#...", ".#..."},
        {".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."},
        {".###.", "#...#", "#...#", ".####", "....#", "....#", ".###."},
        {".", ".", "#", ".", "#", ".", "."}
    };

    private static final int BOX_HEIGHT = GLYPH_HEIGHT + 2 * PADDING;

    private final int width;
    private final int height;
    private final int boxWidth;
    private final int scale;
    private final int left;
    private final int top;
    private final Timecode timecode;

    /**
     * @param width of the pictures in pixels
     * @param height of the pictures in pixels
     * @param fps frames a second
     * @throws IllegalArgumentException if the pictures have no room for it
     */
    public TimecodeBurner(int width, int height, double fps) {
        timecode = Timecode.of(fps);
        boxWidth = textWidth(timecode.at(0)) + 2 * PADDING;
        if (width < boxWidth || height < BOX_HEIGHT) {
            throw new IllegalArgumentException(
                    "pictures of %dx%d pixels have no room for a time code, which takes %dx%d"
                            .formatted(width, height, boxWidth, BOX_HEIGHT));
        }
        this.width = width;
        this.height = height;
        int fitting = Math.round((float) height / LINES_PER_HEIGHT / GLYPH_HEIGHT);
        scale = Math.max(1, Math.min(fitting, width / boxWidth));
        left = Math.min(PADDING * scale, width - boxWidth * scale);
        top = Math.max(0, height - (BOX_HEIGHT + PADDING) * scale);
    }

    /**
     * Writes a frame's time code into it.
     *
     * @param rgb [height, width, 3] from the buffer's position, which stays where it is; not
     *     read-only
     * @param frame its number in the film, from 0
     */
    public void burn(ByteBuffer rgb, long frame) {
        if (rgb.remaining() != width * height * 3) {
            throw new IllegalArgumentException(
                    "a frame of %dx%d pixels has %d bytes of RGB, but %d were given"
                            .formatted(width, height, width * height * 3, rgb.remaining()));
        }
        fill(rgb, left, top, boxWidth * scale, BOX_HEIGHT * scale, (byte) 0);
        int column = PADDING;
        for (char letter : timecode.at(frame).toCharArray()) {
            String[] glyph = glyph(letter);
            draw(rgb, glyph, column);
            column += glyph[0].length() + 1;
        }
    }

    private void draw(ByteBuffer rgb, String[] glyph, int column) {
        for (int row = 0; row < GLYPH_HEIGHT; row++) {
            for (int i = 0; i < glyph[row].length(); i++) {
                if (glyph[row].charAt(i) == '#') {
                    int x = left + (column + i) * scale;
                    int y = top + (PADDING + row) * scale;
                    fill(rgb, x, y, scale, scale, (byte) 0xFF);
                }
            }
        }
    }

    private void fill(ByteBuffer rgb, int x, int y, int columns, int rows, byte value) {
        for (int row = y; row < y + rows; row++) {
            int begin = rgb.position() + (row * width + x) * 3;
            for (int at = begin; at < begin + columns * 3; at++) {
                rgb.put(at, value);
            }
        }
    }

    private static String[] glyph(char letter) {
        return letter == ':' ? GLYPHS[GLYPHS.length - 1] : GLYPHS[letter - '0'];
    }

    private static int textWidth(String text) {
        int columns = -1; // one column between glyphs
        for (char letter : text.toCharArray()) {
            columns += glyph(letter)[0].length() + 1;
        }
        return columns;
    }
}
