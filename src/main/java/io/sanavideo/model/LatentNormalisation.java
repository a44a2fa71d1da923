package io.sanavideo.model;

/**
 * How an encoder's means become the transformer's latents, (mean - m) / s with a mean m and a
 * deviation s for each channel: mean * factor + term.
 */
final class LatentNormalisation {
    private LatentNormalisation() {}

    /** 1 / s */
    static float[] factors(float[] deviation) {
        float[] factors = new float[deviation.length];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = (float) (1.0 / deviation[i]);
        }
        return factors;
    }

    /** -m / s */
    static float[] terms(float[] mean, float[] deviation) {
        float[] terms = new float[mean.length];
        for (int i = 0; i < terms.length; i++) {
            terms[i] = (float) (-mean[i] / (double) deviation[i]);
        }
        return terms;
    }
}
