package io.sanavideo;

import io.sanavideo.weights.ContentHash;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/**
 * A clip in the VAE's latent space, normalised to about unit variance.
 *
 * @param frames latent frames
 * @param height latent rows
 * @param width latent columns
 * @param channels latent channels
 * @param values [frames, height, width, channels], row-major; not copied
 */
public record Latents(int frames, int height, int width, int channels, float[] values) {
    public Latents {
        Objects.requireNonNull(values, "values");
        long expected = (long) frames * height * width * channels;
        if (frames < 1 || height < 1 || width < 1 || channels < 1 || values.length != expected) {
            throw new IllegalArgumentException(
                    "%d values were given for latents of %d frames, %d rows, %d columns and %d channels, expected %d"
                            .formatted(values.length, frames, height, width, channels, expected));
        }
    }

    /**
     * Latents one after the other in time.
     *
     * @param parts one at least, of one height, width and number of channels
     */
    public static Latents concatenate(List<Latents> parts) {
        Latents first = parts.get(0);
        int frames = 0;
        for (Latents part : parts) {
            if (part.height != first.height
                    || part.width != first.width
                    || part.channels != first.channels) {
                throw new IllegalArgumentException(
                        "%s follow %s, expected the same size".formatted(part, first));
            }
            frames = Math.addExact(frames, part.frames);
        }
        float[] values = new float[Math.multiplyExact(frames, first.frameValues())];
        int at = 0;
        for (Latents part : parts) {
            System.arraycopy(part.values, 0, values, at, part.values.length);
            at += part.values.length;
        }
        return new Latents(frames, first.height, first.width, first.channels, values);
    }

    /** A copy of some of the frames. */
    public Latents slice(int first, int count) {
        if (first < 0 || count < 1 || first > frames - count) {
            throw new IllegalArgumentException(
                    "frames %d to %d were asked for, expected frames of 0 to %d"
                            .formatted(first, first + count - 1, frames - 1));
        }
        int size = frameValues();
        float[] part = Arrays.copyOfRange(values, first * size, (first + count) * size);
        return new Latents(count, height, width, channels, part);
    }

    private int frameValues() {
        return height * width * channels;
    }

    /**
     * SHA-256 of the values, [frames, height, width, channels] of fp32 with the high byte first, in
     * hex.
     */
    public String sha256() {
        MessageDigest digest = ContentHash.sha256();
        ByteBuffer row = ByteBuffer.allocate(width * channels * Float.BYTES);
        for (int at = 0; at < values.length; at += width * channels) {
            row.asFloatBuffer().put(values, at, width * channels);
            digest.update(row.array());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public String toString() {
        return "Latents[%d frames, %dx%d, %d channels]".formatted(frames, width, height, channels);
    }
}
