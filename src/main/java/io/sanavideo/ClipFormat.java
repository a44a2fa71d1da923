package io.sanavideo;

/**
 * Size and speed of a clip.
 *
 * @param width pixels
 * @param height pixels
 * @param frames how many
 * @param fps frames a second
 */
public record ClipFormat(int width, int height, int frames, double fps) {
    /** Length in seconds. */
    public double seconds() {
        return frames / fps;
    }
}
