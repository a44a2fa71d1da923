package io.sanavideo.pipeline;

/**
 * How one side of a frame is cut into tiles of one size that overlap.
 *
 * @param size of the side
 * @param tile size of a tile's side, at most {@code size}
 * @param starts where each tile begins, from 0 to {@code size - tile}, as evenly as whole numbers
 *     go
 */
record TileAxis(int size, int tile, int... starts) {
    /** Neighbours overlap by one part of so many of a tile at least. */
    static final int OVERLAP_PART = 4;

    static TileAxis of(int size, int tile) {
        if (tile >= size) {
            return new TileAxis(size, size, 0);
        }
        int overlap = Math.max(1, tile / OVERLAP_PART);
        int count = (size - overlap + tile - overlap - 1) / (tile - overlap);
        int[] starts = new int[count];
        for (int i = 1; i < count; i++) {
            starts[i] = Math.round(i * (size - tile) / (count - 1f));
        }
        return new TileAxis(size, tile, starts);
    }

    /**
     * What each tile's pixels count, in a cross-fade over all that it shares with the tile before
     * it. Those of all tiles add up to 1 at each place.
     *
     * @param pixels for each place of this side
     */
    float[][] weights(int pixels) {
        float[][] weights = new float[starts.length][tile * pixels];
        for (int i = 0; i < starts.length; i++) {
            for (int j = 0; j < weights[i].length; j++) {
                int at = starts[i] * pixels + j;
                float weight = fadedIn(i, at, pixels);
                for (int later = i + 1; later < starts.length; later++) {
                    weight *= 1 - fadedIn(later, at, pixels);
                }
                weights[i][j] = weight;
            }
        }
        return weights;
    }

    /** How far a tile has replaced those before it: 0 before it begins, 1 where they have ended. */
    private float fadedIn(int index, int at, int pixels) {
        if (index == 0) {
            return 1;
        }
        int begin = starts[index] * pixels;
        int end = (starts[index - 1] + tile) * pixels;
        return Math.max(0, Math.min(1, (at + 0.5f - begin) / (end - begin)));
    }
}
