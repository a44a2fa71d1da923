package io.sanavideo.media;

import java.nio.ByteBuffer;

/** Peak signal-to-noise ratio of frames, over all pixels and colours, in dB. */
public final class Psnr {
    /** Stands for infinity, the ratio of equal frames, which JSON has no number for. */
    public static final double EQUAL = 100;

    private static final double PEAK = 255;

    private Psnr() {}

    /**
     * @param reference [height, width, 3] from its position to its limit
     * @param other as many bytes
     * @throws IllegalArgumentException when they are not as many
     */
    public static double of(ByteBuffer reference, ByteBuffer other) {
        int bytes = reference.remaining();
        if (other.remaining() != bytes) {
            throw new IllegalArgumentException(
                    "a frame of %d bytes was given, expected %d"
                            .formatted(other.remaining(), bytes));
        }
        double squares = 0;
        for (int i = 0; i < bytes; i++) {
            double difference =
                    (reference.get(reference.position() + i) & 0xff)
                            - (other.get(other.position() + i) & 0xff);
            squares += difference * difference;
        }
        return Math.min(EQUAL, 10 * Math.log10(PEAK * PEAK * bytes / squares));
    }
}
