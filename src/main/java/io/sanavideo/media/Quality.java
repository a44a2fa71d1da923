package io.sanavideo.media;

/**
 * How much detail an mp4 keeps. Each level is one H.264 quantiser: the constant rate factor of
 * libx264, the fixed quantiser (qmin = qmax) of libopenh264. The quantiser is held and the bit rate
 * follows the content, so a calm clip is small and a busy one is not starved; six steps of the
 * quantiser about halve the bit rate. A gif has one quality only, and PNG is always lossless.
 */
public enum Quality {
    /** Quantiser 28: for previews and messages; losses are visible when looked for. */
    LOW(28),
    /** Quantiser 23: for sharing; losses are hard to see in motion. */
    MEDIUM(23),
    /** Quantiser 18: for editing further; hardly to be told from the frames themselves. */
    HIGH(18);

    private final int quantiser;

    Quality(int quantiser) {
        this.quantiser = quantiser;
    }

    /** The H.264 quantiser of this level, 0 (all detail) to 51 (least). */
    int quantiser() {
        return quantiser;
    }
}
