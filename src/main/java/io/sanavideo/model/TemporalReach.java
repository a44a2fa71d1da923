package io.sanavideo.model;

/**
 * How far back a decoder looks, counted from the pictures to the latents: a convolution over three
 * frames needs two more than what it makes, and where one frame becomes several, fewer of them make
 * as many. It does not matter whether the three frames end with the one that is made or with the
 * next: a decoder that looks ahead is late, and remembers as much. Nor does it that a decoder takes
 * the first frame that it is given for the clip's first, of which it makes fewer: the convolution
 * where frames become several looks back beyond those.
 */
final class TemporalReach {
    private static final int FRAMES_BEFORE = 2;

    private int frames;
    private int perLatentFrame;

    /**
     * At the pictures.
     *
     * @param factor pictures for each latent frame
     */
    TemporalReach(int factor) {
        perLatentFrame = factor;
    }

    /** To in front of so many convolutions. */
    void backThroughConvolutions(int count) {
        frames += count * FRAMES_BEFORE;
    }

    /** To where each frame becomes so many. */
    void backThroughSteps(int made) {
        frames = (frames + made - 1) / made;
        perLatentFrame /= made;
    }

    /** Latent frames before one that are needed here. */
    int latentFrames() {
        return (frames + perLatentFrame - 1) / perLatentFrame;
    }
}
