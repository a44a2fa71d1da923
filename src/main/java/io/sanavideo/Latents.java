package io.sanavideo;

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

    @Override
    public String toString() {
        return "Latents[%d frames, %dx%d, %d channels]".formatted(frames, width, height, channels);
    }
}
