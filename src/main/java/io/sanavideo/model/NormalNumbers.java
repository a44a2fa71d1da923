package io.sanavideo.model;

import java.util.stream.IntStream;

/**
 * A sequence of nearly normal random numbers of mean 0 and deviation 1 that can be entered
 * anywhere: the sum of the four 16-bit quarters of SplitMix64's i-th output, centred and scaled.
 * None is farther than 3.5 from 0. Made for weights, billions at a time, not for noise that a
 * sampler needs.
 */
final class NormalNumbers {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;
    private static final int BLOCK = 1 << 16;

    /** Four times the mean of a quarter. */
    private static final int CENTRE = 2 * 0xffff;

    /** A quarter is one of 2^16 numbers equally likely, of variance (2^32 - 1) / 12. */
    private static final double DEVIATION = Math.sqrt(4 * (0x1p32 - 1) / 12);

    private final long start;

    NormalNumbers(long seed) {
        start = mix(seed + GAMMA);
    }

    /** The sequence of a name under a seed. */
    static NormalNumbers of(long seed, String name) {
        return new NormalNumbers(mix(seed + GAMMA) ^ name.hashCode());
    }

    /** The sequence's i-th number. */
    float at(long i) {
        return (float) (centred(i) / DEVIATION);
    }

    private int centred(long i) {
        long bits = mix(start + (i + 1) * GAMMA);
        return (int)
                        ((bits & 0xffff)
                                + (bits >>> 16 & 0xffff)
                                + (bits >>> 32 & 0xffff)
                                + (bits >>> 48))
                - CENTRE;
    }

    /**
     * Numbers first, first + 1, ... times a factor, as bf16 rounded to nearest, on all cores.
     *
     * @param out filled from 0 to count
     */
    void fillBf16(long first, int count, double factor, short[] out) {
        float scale = (float) (factor / DEVIATION);
        IntStream.range(0, (count + BLOCK - 1) / BLOCK)
                .parallel()
                .forEach(
                        block -> {
                            int end = Math.min(count, (block + 1) * BLOCK);
                            for (int i = block * BLOCK; i < end; i++) {
                                out[i] = toBf16(centred(first + i) * scale);
                            }
                        });
    }

    private static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    private static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
