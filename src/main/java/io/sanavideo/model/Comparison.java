package io.sanavideo.model;

/**
 * How far an output is from its reference.
 *
 * @param tensor the reference's name
 * @param relativeL2 ||output - reference|| / ||reference||; NaN when an element is not a number
 * @param maxError the largest absolute difference of two elements
 */
public record Comparison(String tensor, double relativeL2, double maxError) {
    /**
     * Compares all elements.
     *
     * @throws IllegalArgumentException when there are not as many of both
     */
    public static Comparison of(String tensor, float[] output, float[] reference) {
        if (output.length != reference.length) {
            throw new IllegalArgumentException(
                    "%s: the output has %d elements, its reference %d"
                            .formatted(tensor, output.length, reference.length));
        }
        double difference = 0;
        double norm = 0;
        double max = 0;
        for (int i = 0; i < output.length; i++) {
            double error = Math.abs((double) output[i] - reference[i]);
            difference += error * error;
            norm += (double) reference[i] * reference[i];
            max = Math.max(max, error);
        }
        // Against a reference of zeros only zeros are right.
        double relative = difference == 0 ? 0 : Math.sqrt(difference / norm);
        return new Comparison(tensor, relative, max);
    }
}
