package io.sanavideo.check;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.Comparison;
import java.util.Locale;

/** Keeps the frames of a clip, to compare them with a reference's in -1 to 1. */
final class DecodedClip implements FrameSink {
    private static final int COLOURS = 3;
    private static final double LEAST_PSNR = 45;

    /** Of colours in -1 to 1, the largest difference there can be. */
    private static final double PEAK = 2;

    private float[] colours;

    @Override
    public void begin(ClipFormat format) {
        colours = new float[format.frames() * format.height() * format.width() * COLOURS];
    }

    @Override
    public void accept(Frame frame) {
        byte[] bytes = frame.toBytes();
        int offset = frame.index() * bytes.length;
        for (int i = 0; i < bytes.length; i++) {
            colours[offset + i] = (bytes[i] & 0xff) / 127.5f - 1;
        }
    }

    /**
     * Judges by the peak signal-to-noise ratio, 10 log10(peak^2 / mean squared error).
     *
     * @param reference [3, frames, height, width] in -1 to 1
     */
    Finding compare(String name, float[] reference) {
        float[] output = ChannelsLast.toChannelsFirst(colours, COLOURS);
        Comparison error = Comparison.of(name, output, reference);
        double squares = 0;
        for (int i = 0; i < output.length; i++) {
            double difference = (double) output[i] - reference[i];
            squares += difference * difference;
        }
        double psnr = 10 * Math.log10(PEAK * PEAK * output.length / squares);
        String measure =
                String.format(Locale.ROOT, "PSNR %.1f dB, at least %.0f dB", psnr, LEAST_PSNR);
        return Finding.judged(error, measure, psnr >= LEAST_PSNR);
    }
}
