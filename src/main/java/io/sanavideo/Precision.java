package io.sanavideo;

import java.util.Locale;

/** What weights and activations are stored and multiplied as; sums are always fp32. */
public enum Precision {
    /**
     * bf16 on a GPU. On a CPU bf16 for transformer and text encoder where it multiplies bf16, else
     * f32, and the VAE in f32.
     */
    AUTO,
    /** f32 in every part. */
    F32,
    /** bf16 in every part. */
    BF16;

    /** As {@link #parse} reads it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Reads {@code auto}, {@code f32} or {@code bf16}. */
    public static Precision parse(String text) {
        return switch (text) {
            case "auto" -> AUTO;
            case "f32" -> F32;
            case "bf16" -> BF16;
            default ->
                    throw new IllegalArgumentException(
                            "dtype is '%s', expected f32, bf16 or auto".formatted(text));
        };
    }
}
