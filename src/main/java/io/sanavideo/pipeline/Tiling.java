package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.model.VaeConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * A frame cut into tiles, which are decoded one after the other where memory does not hold the
 * decoder's buffers for the whole. A tile knows nothing of what lies beyond its edges, so that its
 * pixels differ there from those of the whole frame: tiles overlap and are cross-faded.
 *
 * @param rows how the latent's rows are cut
 * @param columns how its columns are cut
 */
record Tiling(TileAxis rows, TileAxis columns) {
    private static final int LEAST = 4;

    /** A tile's first row and column of the latent; {@code index} counts rows and columns. */
    record Tile(int rowIndex, int columnIndex) {}

    /** Rows and columns of a tile's latent at least. */
    static int leastTile(VaeConfig vae) {
        return Math.max(LEAST, vae.leastSize() / vae.spatialFactor());
    }

    /**
     * @param edge rows and columns of a tile's latent; a frame's side that is not longer is not cut
     */
    static Tiling of(int height, int width, int edge) {
        return new Tiling(TileAxis.of(height, edge), TileAxis.of(width, edge));
    }

    /** The tiles, row by row. */
    List<Tile> tiles() {
        List<Tile> tiles = new ArrayList<>();
        for (int row = 0; row < rows.starts().length; row++) {
            for (int column = 0; column < columns.starts().length; column++) {
                tiles.add(new Tile(row, column));
            }
        }
        return tiles;
    }

    /** What of a clip's latents a tile decodes. */
    Latents cut(Latents latents, Tile tile) {
        int channels = latents.channels();
        int height = rows.tile();
        int width = columns.tile();
        int top = rows.starts()[tile.rowIndex];
        int left = columns.starts()[tile.columnIndex];
        float[] values = new float[latents.frames() * height * width * channels];
        for (int row = 0; row < latents.frames() * height; row++) {
            int from = row / height * latents.height() + top + row % height;
            System.arraycopy(
                    latents.values(),
                    (from * latents.width() + left) * channels,
                    values,
                    row * width * channels,
                    width * channels);
        }
        return new Latents(latents.frames(), height, width, channels, values);
    }
}
