package io.sanavideo.media;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * The 256 colours of one frame by median cut (Heckbert, Color image quantization for frame buffer
 * display, 1982), and the frame drawn in them with Floyd-Steinberg error diffusion. Colours are
 * counted in cells of 5 bits a channel; a frame with at most 256 cells keeps their mean colours.
 */
final class GifPalette {
    static final int SIZE = 256;
    private static final int CELLS = 1 << 15;

    private final int width;
    private final int height;
    private final int[] count = new int[CELLS];
    private final long[][] sum = new long[3][CELLS];
    private final int[] nearest = new int[CELLS];
    private final int[] argb = new int[SIZE];
    private int colours;

    GifPalette(int width, int height) {
        this.width = width;
        this.height = height;
    }

    /** The colours as 0xFFRRGGBB; unused ones are black. */
    int[] argb() {
        return argb;
    }

    /** Chooses the colours for a frame of packed RGB. */
    void fit(ByteBuffer rgb) {
        countColours(rgb);
        PriorityQueue<Box> boxes =
                new PriorityQueue<>(Comparator.comparingLong(Box::weight).reversed());
        boxes.add(new Box(occupiedCells()));
        while (boxes.size() < SIZE && boxes.peek().weight() > 0) {
            Box widest = boxes.poll();
            int middle = widest.cut();
            boxes.add(new Box(Arrays.copyOfRange(widest.cells, 0, middle)));
            boxes.add(new Box(Arrays.copyOfRange(widest.cells, middle, widest.cells.length)));
        }
        Arrays.fill(argb, 0xFF000000);
        colours = 0;
        for (Box box : boxes) {
            argb[colours++] = box.mean();
        }
    }

    /**
     * Draws the frame of the last {@link #fit}: one palette index a pixel, rows {@code stride}
     * apart.
     */
    void map(ByteBuffer rgb, ByteBuffer indices, int stride) {
        Arrays.fill(nearest, -1);
        // Errors in sixteenths, one pixel of margin on both sides.
        int[] below = new int[(width + 2) * 3];
        int[] here = new int[(width + 2) * 3];
        int[] wanted = new int[3];
        int position = rgb.position();
        for (int y = 0; y < height; y++) {
            int[] done = here;
            here = below;
            below = done;
            Arrays.fill(below, 0);
            for (int x = 0; x < width; x++) {
                int at = (x + 1) * 3;
                for (int c = 0; c < 3; c++) {
                    int value = (rgb.get(position++) & 0xFF) + ((here[at + c] + 8) >> 4);
                    wanted[c] = Math.max(0, Math.min(255, value));
                }
                int index = nearest(wanted[0], wanted[1], wanted[2]);
                indices.put(y * stride + x, (byte) index);
                for (int c = 0; c < 3; c++) {
                    int error = wanted[c] - (argb[index] >> (16 - 8 * c) & 0xFF);
                    here[at + 3 + c] += 7 * error;
                    below[at - 3 + c] += 3 * error;
                    below[at + c] += 5 * error;
                    below[at + 3 + c] += error;
                }
            }
        }
    }

    private void countColours(ByteBuffer rgb) {
        Arrays.fill(count, 0);
        for (long[] channel : sum) {
            Arrays.fill(channel, 0);
        }
        int end = rgb.position() + width * height * 3;
        for (int i = rgb.position(); i < end; i += 3) {
            int red = rgb.get(i) & 0xFF;
            int green = rgb.get(i + 1) & 0xFF;
            int blue = rgb.get(i + 2) & 0xFF;
            int cell = cell(red, green, blue);
            count[cell]++;
            sum[0][cell] += red;
            sum[1][cell] += green;
            sum[2][cell] += blue;
        }
    }

    private Integer[] occupiedCells() {
        Integer[] cells = new Integer[CELLS];
        int found = 0;
        for (int cell = 0; cell < CELLS; cell++) {
            if (count[cell] > 0) {
                cells[found++] = cell;
            }
        }
        return Arrays.copyOf(cells, found);
    }

    /** The nearest colour, looked up once a cell: for the first colour met in it. */
    private int nearest(int red, int green, int blue) {
        int cell = cell(red, green, blue);
        if (nearest[cell] < 0) {
            int best = Integer.MAX_VALUE;
            for (int i = 0; i < colours; i++) {
                int r = red - (argb[i] >> 16 & 0xFF);
                int g = green - (argb[i] >> 8 & 0xFF);
                int b = blue - (argb[i] & 0xFF);
                int distance = r * r + g * g + b * b;
                if (distance < best) {
                    best = distance;
                    nearest[cell] = i;
                }
            }
        }
        return nearest[cell];
    }

    private static int cell(int red, int green, int blue) {
        return red >> 3 << 10 | green >> 3 << 5 | blue >> 3;
    }

    private static int channel(int cell, int c) {
        return cell >> (10 - 5 * c) & 31;
    }

    /** Cells that share one palette colour. */
    private final class Box {
        final Integer[] cells;
        private final long pixels;
        private final int longest;
        private final int length;

        Box(Integer[] cells) {
            this.cells = cells;
            int[] low = {31, 31, 31};
            int[] high = {0, 0, 0};
            long total = 0;
            for (int cell : cells) {
                total += count[cell];
                for (int c = 0; c < 3; c++) {
                    low[c] = Math.min(low[c], channel(cell, c));
                    high[c] = Math.max(high[c], channel(cell, c));
                }
            }
            pixels = total;
            int side = 0;
            for (int c = 1; c < 3; c++) {
                if (high[c] - low[c] > high[side] - low[side]) {
                    side = c;
                }
            }
            longest = side;
            length = high[side] - low[side];
        }

        /** What a cut is worth: 0 for a single cell. */
        long weight() {
            return pixels * length;
        }

        /** Sorts the cells along the longest side and says where half of the pixels lie. */
        int cut() {
            Arrays.sort(cells, Comparator.comparingInt(cell -> channel(cell, longest)));
            long before = 0;
            int middle = 0;
            while (middle < cells.length - 1 && 2 * before < pixels) {
                before += count[cells[middle++]];
            }
            return Math.max(1, middle);
        }

        int mean() {
            int colour = 0xFF;
            for (int c = 0; c < 3; c++) {
                long total = 0;
                for (int cell : cells) {
                    total += sum[c][cell];
                }
                colour = colour << 8 | (int) ((total + pixels / 2) / pixels);
            }
            return colour;
        }
    }
}
