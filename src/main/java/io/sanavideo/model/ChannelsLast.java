package io.sanavideo.model;

/**
 * Between PyTorch's order of a clip, [channels, frames, height, width], and this project's,
 * [frames, height, width, channels]. Reference vectors are in the former.
 */
public final class ChannelsLast {
    private ChannelsLast() {}

    /**
     * Moves channels to the end.
     *
     * @param values [channels, positions], where positions are frames * height * width
     * @return [positions, channels]
     */
    public static float[] of(float[] values, int channels) {
        return transpose(values, channels, values.length / channels);
    }

    /**
     * Moves channels to the front.
     *
     * @param values [positions, channels]
     * @return [channels, positions]
     */
    public static float[] toChannelsFirst(float[] values, int channels) {
        return transpose(values, values.length / channels, channels);
    }

    private static float[] transpose(float[] values, int rows, int columns) {
        if (rows * columns != values.length) {
            throw new IllegalArgumentException(
                    "%d values are not %d times %d".formatted(values.length, rows, columns));
        }
        float[] transposed = new float[values.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                transposed[column * rows + row] = values[row * columns + column];
            }
        }
        return transposed;
    }
}
