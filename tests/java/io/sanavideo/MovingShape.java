package io.sanavideo;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the frames of a clip show of the one shape before a plain background, as the demo model's
 * README says: the shape is the pixels whose distance from the median of the frame's border, in
 * RGB, is more than 60. Its colour is the named one nearest to their mean, weighted by saturation;
 * its motion the largest of how far its centroid moves in each direction, in units of 16 pixels,
 * and of how much its area grows or shrinks, the logarithm in units of 1.2, from the first three
 * frames to the last three. A shape that is not yet there, or no longer, has no centroid and counts
 * as one pixel.
 *
 * @param colour such as {@code red}
 * @param motion such as {@code moving left} or {@code growing}
 */
public record MovingShape(String colour, String motion) {
    private static final Map<String, int[]> COLOURS =
            Map.of(
                    "red", new int[] {220, 40, 40},
                    "green", new int[] {40, 180, 60},
                    "blue", new int[] {50, 90, 230},
                    "yellow", new int[] {240, 210, 40},
                    "purple", new int[] {150, 60, 200},
                    "cyan", new int[] {40, 200, 220});
    private static final double DISTANCE = 60;
    private static final double SHIFT_UNIT = 16;
    private static final double GROWTH_UNIT = 1.2;
    private static final int ENDS = 3;

    /** The shape of one frame; colour sums are weighted by saturation. */
    private static final class Shape {
        private final double[] colour = new double[3];
        private double weight;
        private double area;
        private double x;
        private double y;

        void add(int column, int row, int[] pixel) {
            double saturation =
                    Arrays.stream(pixel).max().orElseThrow()
                            - Arrays.stream(pixel).min().orElseThrow();
            weight += saturation;
            for (int i = 0; i < 3; i++) {
                colour[i] += saturation * pixel[i];
            }
            area++;
            x += column;
            y += row;
        }
    }

    /** Measures the frames of a clip, each [height, width, 3]. */
    static MovingShape in(List<byte[]> frames, ClipFormat format) {
        List<Shape> shapes =
                frames.stream().map(rgb -> shape(rgb, format.width(), format.height())).toList();
        return new MovingShape(colour(shapes), motion(shapes));
    }

    private static Shape shape(byte[] rgb, int width, int height) {
        int[] background = borderMedian(rgb, width, height);
        Shape shape = new Shape();
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int[] pixel = pixel(rgb, row * width + column);
                if (distance(pixel, background) > DISTANCE) {
                    shape.add(column, row, pixel);
                }
            }
        }
        return shape;
    }

    private static int[] borderMedian(byte[] rgb, int width, int height) {
        int[] median = new int[3];
        for (int channel = 0; channel < 3; channel++) {
            int[] border = new int[2 * (width + height) - 4];
            int count = 0;
            for (int i = 0; i < width * height; i++) {
                int row = i / width;
                int column = i % width;
                if (row == 0 || row == height - 1 || column == 0 || column == width - 1) {
                    border[count++] = pixel(rgb, i)[channel];
                }
            }
            Arrays.sort(border);
            median[channel] = border[count / 2];
        }
        return median;
    }

    private static int[] pixel(byte[] rgb, int index) {
        return new int[] {rgb[3 * index] & 255, rgb[3 * index + 1] & 255, rgb[3 * index + 2] & 255};
    }

    private static double distance(int[] a, int[] b) {
        return Math.hypot(Math.hypot(a[0] - b[0], a[1] - b[1]), a[2] - b[2]);
    }

    private static String colour(List<Shape> shapes) {
        double weight = shapes.stream().mapToDouble(shape -> shape.weight).sum();
        int[] mean = new int[3];
        for (int i = 0; i < 3; i++) {
            int channel = i;
            double sum = shapes.stream().mapToDouble(shape -> shape.colour[channel]).sum();
            mean[i] = (int) Math.round(sum / weight);
        }
        return COLOURS.entrySet().stream()
                .min(
                        (a, b) ->
                                Double.compare(
                                        distance(a.getValue(), mean), distance(b.getValue(), mean)))
                .orElseThrow()
                .getKey();
    }

    private static String motion(List<Shape> shapes) {
        Shape first = sum(shapes.subList(0, ENDS));
        Shape last = sum(shapes.subList(shapes.size() - ENDS, shapes.size()));
        Map<String, Double> scores = new LinkedHashMap<>();
        if (first.area > 0 && last.area > 0) {
            double right = (last.x / last.area - first.x / first.area) / SHIFT_UNIT;
            double down = (last.y / last.area - first.y / first.area) / SHIFT_UNIT;
            scores.put("moving left", -right);
            scores.put("moving right", right);
            scores.put("moving up", -down);
            scores.put("moving down", down);
        }
        double growth = Math.log(Math.max(1, last.area) / Math.max(1, first.area)) / GROWTH_UNIT;
        scores.put("growing", growth);
        scores.put("shrinking", -growth);
        return scores.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    }

    private static Shape sum(List<Shape> shapes) {
        Shape sum = new Shape();
        for (Shape shape : shapes) {
            sum.area += shape.area;
            sum.x += shape.x;
            sum.y += shape.y;
        }
        return sum;
    }
}
