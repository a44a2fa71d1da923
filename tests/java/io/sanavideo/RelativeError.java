package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

/** Relative L2 error, |values - reference| / |reference|. */
public final class RelativeError {
    private RelativeError() {}

    public static double of(float[] values, float[] reference) {
        assertThat(values).hasSameSizeAs(reference);
        double error = 0;
        double norm = 0;
        for (int i = 0; i < values.length; i++) {
            double difference = (double) values[i] - reference[i];
            error += difference * difference;
            norm += (double) reference[i] * reference[i];
        }
        return Math.sqrt(error / norm);
    }
}
