package io.sanavideo.media;

/** Frames a second as a fraction, as containers store it. */
record FrameRate(int numerator, int denominator) {
    private static final double HIGHEST = 240;
    private static final int FINEST_DENOMINATOR = 1000;

    /**
     * The fraction for a decimal rate, to three decimal places; the decimal forms of n * 1000/1001
     * (23.976, 29.97, 59.94) mean exactly that.
     */
    static FrameRate of(double fps) {
        if (!(fps > 0 && fps <= HIGHEST)) {
            throw new IllegalArgumentException(
                    "cannot write %s frames a second; the rate must be above 0 and at most %.0f"
                            .formatted(fps, HIGHEST));
        }
        long film = Math.round(fps * 1.001);
        if (film > 0 && fps != Math.rint(fps) && Math.abs(film * 1000.0 / 1001 - fps) < 5e-4) {
            return new FrameRate((int) (film * 1000), 1001);
        }
        long thousandths = Math.round(fps * FINEST_DENOMINATOR);
        if (thousandths == 0) {
            throw new IllegalArgumentException(
                    "cannot write %s frames a second; the slowest rate is 0.001".formatted(fps));
        }
        long divisor = greatestCommonDivisor(thousandths, FINEST_DENOMINATOR);
        return new FrameRate((int) (thousandths / divisor), (int) (FINEST_DENOMINATOR / divisor));
    }

    double perSecond() {
        return (double) numerator / denominator;
    }

    private static long greatestCommonDivisor(long a, long b) {
        return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }
}
