package io.sanavideo.doctor;

import java.util.SplittableRandom;

/**
 * NVFP4 numbers in slabs as {@code sv_nvfp4_matrix} documents them, made and read on the host so
 * that trials of one kernel do not lean on another.
 */
final class Slabs {
    private static final int SLAB = 64;
    private static final int BLOCK = 16;
    private static final float[] CODES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    private static final int NO_ZERO = 20;

    /** Scales from 2^-4 to 2^3. */
    private static final int LEAST_SCALE = 24;

    private static final int MOST_SCALE = 80;

    private final int rows;
    private final int columns;

    Slabs(int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
    }

    private int count() {
        return (columns + SLAB - 1) / SLAB;
    }

    private int codeAt(int row, int column) {
        return (column / SLAB * rows + row) * SLAB / 2 + column % SLAB / 2;
    }

    private int scaleAt(int row, int column) {
        int place = column / SLAB * rows + row;
        return count() * rows * SLAB / 2 + place * (SLAB / BLOCK) + column % SLAB / BLOCK;
    }

    /** Any codes, with scales of which now and then one is 0; what pads the last slab is zero. */
    byte[] draw(SplittableRandom random) {
        byte[] slabs = new byte[count() * rows * (SLAB / 2 + SLAB / BLOCK)];
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < columns; k++) {
                if (k % BLOCK == 0) {
                    slabs[scaleAt(row, k)] = scale(random);
                }
                slabs[codeAt(row, k)] |= (byte) (random.nextInt(16) << k % 2 * 4);
            }
        }
        return slabs;
    }

    /** A byte that is a scale. */
    static byte scale(SplittableRandom random) {
        return (byte)
                (random.nextInt(NO_ZERO) == 0 ? 0 : random.nextInt(LEAST_SCALE, MOST_SCALE + 1));
    }

    /** What the bytes stand for, row by row. */
    float[] decode(byte[] slabs, float globalScale) {
        float[] numbers = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < columns; k++) {
                int code = slabs[codeAt(row, k)] >> k % 2 * 4 & 15;
                float size = CODES[code & 7] * value(slabs[scaleAt(row, k)] & 0xff) * globalScale;
                numbers[row * columns + k] = (code & 8) == 0 ? size : -size;
            }
        }
        return numbers;
    }

    /** The number of a scale's byte, UE4M3; NaN for what is none. */
    private static float value(int scale) {
        if (scale >= 0x7f) {
            return Float.NaN;
        }
        int exponent = scale / 8;
        return exponent == 0
                ? Math.scalb((float) scale, -9)
                : Math.scalb(8f + scale % 8, exponent - 10);
    }
}
