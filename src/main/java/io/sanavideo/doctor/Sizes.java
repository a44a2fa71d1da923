package io.sanavideo.doctor;

/**
 * The sizes that trials are made of.
 *
 * @param rows tokens, and rows of whatever has rows; ragged against every tile, and a multiple of
 *     {@link #GROUPS}
 * @param heads of 112 channels each; together they are the width
 * @param hidden channels of the gated feed-forward
 * @param channels of the VAE
 * @param keys text tokens
 * @param tall rows of a picture
 * @param wide columns of a picture
 */
record Sizes(int rows, int heads, int hidden, int channels, int keys, int tall, int wide) {
    /** Channels of a head in the released models. */
    static final int HEAD = 112;

    /** Groups of rows, each with a gate or modulation of its own, as frames have them. */
    static final int GROUPS = 7;

    /** The widths of the released model; a few hundred rows. */
    static final Sizes REAL = new Sizes(301, 20, 6720, 384, 157, 7, 13);

    /** For what is a thousand times slower than a card. */
    static final Sizes SMALL = new Sizes(35, 2, 144, 24, 19, 3, 5);

    int width() {
        return heads * HEAD;
    }

    int pixels() {
        return tall * wide;
    }
}
