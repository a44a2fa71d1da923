package io.sanavideo.model;

/** The patches of a latent clip, each of which is one token, ordered frame, row, column. */
record TokenGrid(int frames, int height, int width) {
    /**
     * The grid of a latent.
     *
     * @throws IllegalArgumentException when patches do not divide it or it is too large
     */
    static TokenGrid of(TransformerConfig config, int frames, int height, int width) {
        return new TokenGrid(
                side("frames", frames, config.patchFrames(), config),
                side("height", height, config.patchHeight(), config),
                side("width", width, config.patchWidth(), config));
    }

    private static int side(String name, int size, int patch, TransformerConfig config) {
        int largest = config.maxPositions() * patch;
        if (size < patch || size % patch != 0 || size > largest) {
            throw new IllegalArgumentException(
                    "latent %s is %d, expected a multiple of %d up to %d"
                            .formatted(name, size, patch, largest));
        }
        return size / patch;
    }

    int pixels() {
        return height * width;
    }

    int tokens() {
        return Math.multiplyExact(frames, pixels());
    }
}
