package io.sanavideo.quantize;

import java.util.List;

/**
 * A layer's weight as NVFP4, with the correction that may go with it.
 *
 * @param parts those of the layer, in order
 * @param lowRank of the rows of all parts; null for none
 * @param signalToNoise of the weight that all of it stands for, in dB; {@link #EXACT} where it is
 *     that weight
 * @param saturation share of elements that are beyond the largest code
 */
record QuantizedLayer(List<Part> parts, LowRank lowRank, double signalToNoise, double saturation) {
    /** Stands for infinity, which JSON has no number for. */
    static final double EXACT = 200;

    /**
     * In dB.
     *
     * @param signal sum of squares of a weight
     * @param noise of what is missing of it
     */
    static double signalToNoise(double signal, double noise) {
        return noise == 0 ? EXACT : Math.min(EXACT, 10 * Math.log10(signal / noise));
    }

    /** What is worth keeping when it is written. */
    QuantizedLayer withoutWeights() {
        return new QuantizedLayer(List.of(), null, signalToNoise, saturation);
    }

    /**
     * @param codes [rows, taps, in / 2], an even element in the low four bits
     * @param scales [rows, taps, in / 16]
     */
    record Part(byte[] codes, byte[] scales, float globalScale) {}
}
