package io.sanavideo.doctor;

/**
 * How fast a device is at something.
 *
 * @param name what is measured
 * @param work the op and its shape in words
 * @param value how much of the unit; NaN where it could not be measured
 * @param unit "GB/s" or "TFLOP/s"
 * @param seconds of one call, in the fastest batch of calls; NaN as value
 * @param reason why it could not be measured, or empty
 */
public record Measurement(
        String name, String work, double value, String unit, double seconds, String reason) {
    /** Whether there is a number. */
    public boolean isMeasured() {
        return reason.isEmpty();
    }
}
