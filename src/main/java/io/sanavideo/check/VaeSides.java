package io.sanavideo.check;

import io.sanavideo.check.CheckOptions.Side;
import io.sanavideo.model.GoldenTensors;
import java.util.Set;

/** Which output of a VAE belongs to which side of it. */
final class VaeSides {
    private static final String DECODED = "decoded";
    private static final Set<String> ENCODED = Set.of("latent_mean", "latent_logvar");

    private VaeSides() {}

    /** Whether these are the vectors of a VAE. */
    static boolean in(GoldenTensors golden) {
        return golden.has(DECODED) || ENCODED.stream().anyMatch(golden::has);
    }

    /** Whether a check of this side, or of both when null, looks at the output. */
    static boolean covers(Side side, String output) {
        return side == null || ENCODED.contains(output) == (side == Side.ENCODE);
    }
}
