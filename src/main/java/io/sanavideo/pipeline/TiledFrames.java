package io.sanavideo.pipeline;

import io.sanavideo.pipeline.Tiling.Tile;
import io.sanavideo.runtime.HostMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;

/**
 * The frames of a clip that is decoded tile by tile: a tile's pictures wait in a temporary file
 * until all tiles are there, so that memory does not grow with the clip. The file takes 3 bytes a
 * pixel of each tile's pictures and is deleted when this is closed.
 */
final class TiledFrames implements AutoCloseable {
    private static final int COLOURS = 3;

    private final Tiling tiling;
    private final List<Tile> tiles;
    private final int factor;
    private final int frames;
    private final int width;
    private final FileChannel file;
    private final HostMemory memory;
    private final ByteBuffer picture;
    private final float[][] rowWeights;
    private final float[][] columnWeights;
    private final float[] sums;

    /**
     * @param factor pixels for each place of the latent
     * @param frames of the clip
     */
    TiledFrames(Tiling tiling, int factor, int frames) {
        this.tiling = tiling;
        this.factor = factor;
        this.frames = frames;
        tiles = tiling.tiles();
        width = tiling.columns().size() * factor;
        rowWeights = tiling.rows().weights(factor);
        columnWeights = tiling.columns().weights(factor);
        sums = new float[tiling.rows().size() * factor * width * COLOURS];
        try {
            Path path = Files.createTempFile("sana-video-", ".tiles");
            file =
                    FileChannel.open(
                            path,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE);
        } catch (IOException e) {
            throw new UncheckedIOException("the tiles' temporary file cannot be made", e);
        }
        try {
            memory = new HostMemory(tileHeight() * tileWidth() * COLOURS);
        } catch (RuntimeException e) {
            closeFile();
            throw e;
        }
        picture = memory.buffer();
    }

    private int tileHeight() {
        return tiling.rows().tile() * factor;
    }

    private int tileWidth() {
        return tiling.columns().tile() * factor;
    }

    /** Takes the next picture: all of the first tile, then all of the second, and so on. */
    void add(ByteBuffer rgb) {
        try {
            ByteBuffer left = rgb.duplicate();
            while (left.hasRemaining()) {
                file.write(left);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the tiles' temporary file cannot be written", e);
        }
    }

    /**
     * Cross-fades one frame's tiles.
     *
     * @param rgb out: the frame, from the buffer's beginning on
     */
    void join(int frame, ByteBuffer rgb) {
        Arrays.fill(sums, 0);
        for (int i = 0; i < tiles.size(); i++) {
            read((long) i * frames + frame);
            add(tiles.get(i));
        }
        for (int i = 0; i < sums.length; i++) {
            rgb.put(i, (byte) Math.round(sums[i]));
        }
    }

    private void read(long index) {
        picture.clear();
        try {
            long at = index * picture.capacity();
            while (picture.hasRemaining()) {
                if (file.read(picture, at + picture.position()) < 0) {
                    throw new IllegalStateException("not all tiles are there");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the tiles' temporary file cannot be read", e);
        }
    }

    private void add(Tile tile) {
        float[] rows = rowWeights[tile.rowIndex()];
        float[] columns = columnWeights[tile.columnIndex()];
        int top = tiling.rows().starts()[tile.rowIndex()] * factor;
        int left = tiling.columns().starts()[tile.columnIndex()] * factor;
        int from = 0;
        for (int row = 0; row < rows.length; row++) {
            int to = ((top + row) * width + left) * COLOURS;
            for (float column : columns) {
                for (int colour = 0; colour < COLOURS; colour++) {
                    sums[to++] += rows[row] * column * (picture.get(from++) & 0xff);
                }
            }
        }
    }

    @Override
    public void close() {
        memory.close();
        closeFile();
    }

    private void closeFile() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the tiles' temporary file cannot be closed", e);
        }
    }
}
