package io.sanavideo;

import java.nio.file.Path;
import java.util.Objects;

/**
 * A low-rank adaptation of the transformer (Hu et al., 2021) and how strongly it is applied: to the
 * weight W of each layer that it names it adds scale * alpha / rank * B A.
 *
 * @param file a safetensors file with keys as PEFT or older versions of diffusers write them
 * @param scale any finite number: 1 as it was trained, 0 not at all
 */
public record Lora(Path file, double scale) {
    private static final String SUFFIX = ".safetensors";

    public Lora {
        Objects.requireNonNull(file, "file");
        if (!Double.isFinite(scale)) {
            throw new IllegalArgumentException(
                    "the scale of %s is %s, expected a finite number".formatted(file, scale));
        }
    }

    /** A LoRA as it was trained. */
    public static Lora of(Path file) {
        return new Lora(file, 1);
    }

    /**
     * Reads {@code FILE} or {@code FILE:SCALE}. What follows the last colon is the scale, unless a
     * slash or the end of a safetensors file's name stands behind it.
     *
     * @throws IllegalArgumentException when the scale is not a finite number
     */
    public static Lora parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0 || text.indexOf('/', colon) >= 0 || text.endsWith(SUFFIX)) {
            return of(Path.of(text));
        }
        String scale = text.substring(colon + 1);
        try {
            return new Lora(Path.of(text.substring(0, colon)), Double.parseDouble(scale));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "the scale of the LoRA '%s' is '%s', expected a number, such as in style.safetensors:0.8"
                            .formatted(text, scale),
                    e);
        }
    }
}
