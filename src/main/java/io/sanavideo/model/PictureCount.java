package io.sanavideo.model;

/**
 * Counts the pictures of a clip that is encoded: the first makes a latent frame by itself, those
 * after it make one for each group.
 */
final class PictureCount {
    private final int group;
    private long pictures;
    private boolean ended;

    /**
     * @param group pictures of a latent frame, the VAE's temporal factor
     */
    PictureCount(int group) {
        this.group = group;
    }

    void add() {
        if (ended) {
            throw new IllegalStateException("this clip has ended, open a stream for the next");
        }
        pictures++;
    }

    /**
     * @throws IllegalStateException when the last pictures make no latent frame
     */
    void end() {
        ended = true;
        long rest = pictures == 0 ? 0 : (pictures - 1) % group;
        if (rest != 0) {
            throw new IllegalStateException(
                    "the clip ended after %d pictures, expected 1 + %d * k: its last %d make no latent frame"
                            .formatted(pictures, group, rest));
        }
    }
}
