package io.sanavideo.quantize;

import io.sanavideo.ClipFormat;
import io.sanavideo.media.Psnr;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * How alike the frames of two clips are, the mean over frames.
 *
 * @param psnr peak signal-to-noise ratio over all pixels and colours, in dB; of equal frames {@link
 *     Psnr#EQUAL}
 * @param ssim structural similarity of luma (Z. Wang et al., "Image quality assessment: from error
 *     visibility to structural similarity", 2004), in windows of 8x8 pixels that overlap by half; 1
 *     for equal frames
 */
record FrameDifference(double psnr, double ssim) {
    private static final double PEAK = 255;
    private static final double C1 = 0.01 * PEAK * 0.01 * PEAK;
    private static final double C2 = 0.03 * PEAK * 0.03 * PEAK;
    private static final int WINDOW = 8;
    private static final int STEP = WINDOW / 2;

    /**
     * @param reference frames of [height, width, 3]
     * @param other as many of the same size
     */
    static FrameDifference of(List<byte[]> reference, List<byte[]> other, ClipFormat format) {
        double psnr = 0;
        double ssim = 0;
        for (int i = 0; i < reference.size(); i++) {
            psnr += Psnr.of(ByteBuffer.wrap(reference.get(i)), ByteBuffer.wrap(other.get(i)));
            ssim +=
                    ssim(
                            luma(reference.get(i)),
                            luma(other.get(i)),
                            format.width(),
                            format.height());
        }
        return new FrameDifference(psnr / reference.size(), ssim / reference.size());
    }

    /** Rec. 601's weights, as the paper's images have. */
    private static double[] luma(byte[] rgb) {
        double[] luma = new double[rgb.length / 3];
        for (int i = 0; i < luma.length; i++) {
            luma[i] =
                    0.299 * (rgb[3 * i] & 0xff)
                            + 0.587 * (rgb[3 * i + 1] & 0xff)
                            + 0.114 * (rgb[3 * i + 2] & 0xff);
        }
        return luma;
    }

    private static double ssim(double[] x, double[] y, int width, int height) {
        double sum = 0;
        int windows = 0;
        for (int row = 0; row + WINDOW <= height; row += STEP) {
            for (int column = 0; column + WINDOW <= width; column += STEP) {
                sum += window(x, y, width, row, column);
                windows++;
            }
        }
        return sum / windows;
    }

    private static double window(double[] x, double[] y, int width, int row, int column) {
        double sumX = 0;
        double sumY = 0;
        double sumXx = 0;
        double sumYy = 0;
        double sumXy = 0;
        for (int i = 0; i < WINDOW; i++) {
            for (int j = 0; j < WINDOW; j++) {
                int at = (row + i) * width + column + j;
                sumX += x[at];
                sumY += y[at];
                sumXx += x[at] * x[at];
                sumYy += y[at] * y[at];
                sumXy += x[at] * y[at];
            }
        }
        double count = WINDOW * WINDOW;
        double meanX = sumX / count;
        double meanY = sumY / count;
        double varianceX = sumXx / count - meanX * meanX;
        double varianceY = sumYy / count - meanY * meanY;
        double covariance = sumXy / count - meanX * meanY;
        return (2 * meanX * meanY + C1)
                * (2 * covariance + C2)
                / ((meanX * meanX + meanY * meanY + C1) * (varianceX + varianceY + C2));
    }
}
