package io.sanavideo.schedule;

/**
 * Noise levels and timesteps of one run. Each form repeats the arithmetic of its diffusers
 * scheduler where rounding shows: levels in float32, and whole timesteps cut off from float64
 * products.
 */
final class FlowSchedule {
    /** UniPC keeps this distance from level 1, where the log signal-to-noise ratio is infinite. */
    private static final double DISTANCE_FROM_ONE = 1e-6;

    private final float[] sigmas;
    private final double[] timesteps;

    private FlowSchedule(float[] sigmas, double[] timesteps) {
        this.sigmas = sigmas;
        this.timesteps = timesteps;
    }

    /**
     * DPMSolverMultistepScheduler with flow sigmas: s = 1 - linspace(1, 1/T, n + 1), shifted, in
     * falling order, its 0 at the end; timesteps floor(T s).
     */
    static FlowSchedule dpmSolver(int steps, double shift, int trainTimesteps) {
        double[] levels = new double[steps];
        double[] timesteps = new double[steps];
        for (int i = 0; i < steps; i++) {
            double alpha = between(1, 1.0 / trainTimesteps, steps - i, steps);
            levels[i] = shifted(1 - alpha, shift);
            timesteps[i] = Math.floor(levels[i] * trainTimesteps);
        }
        return new FlowSchedule(endedByZero(levels), timesteps);
    }

    /**
     * UniPCMultistepScheduler with flow sigmas: s = linspace(1, 1/T, n + 1) without its last value,
     * shifted, a first value of 1 lowered by 1e-6, then 0; timesteps floor(T s).
     */
    static FlowSchedule uniPc(int steps, double shift, int trainTimesteps) {
        double[] levels = new double[steps];
        double[] timesteps = new double[steps];
        for (int i = 0; i < steps; i++) {
            levels[i] = shifted(between(1, 1.0 / trainTimesteps, i, steps), shift);
            if (i == 0 && Math.abs(levels[0] - 1) < DISTANCE_FROM_ONE) {
                levels[0] -= DISTANCE_FROM_ONE;
            }
            timesteps[i] = Math.floor(levels[i] * trainTimesteps);
        }
        return new FlowSchedule(endedByZero(levels), timesteps);
    }

    /**
     * FlowMatchEulerDiscreteScheduler: n values from level 1 down to the shifted level of timestep
     * 1, shifted once more, then 0; timesteps T s in float32, not cut off.
     */
    static FlowSchedule euler(int steps, double shift, int trainTimesteps) {
        float lowest = 1f / trainTimesteps;
        float last = (float) shift * lowest / (1 + (float) (shift - 1) * lowest);
        double first = (float) shift / (1 + (float) (shift - 1));
        double[] levels = new double[steps];
        double[] timesteps = new double[steps];
        for (int i = 0; i < steps; i++) {
            double timestep =
                    between(
                            first * trainTimesteps,
                            (double) last * trainTimesteps,
                            i,
                            Math.max(1, steps - 1));
            levels[i] = shifted(timestep / trainTimesteps, shift);
            timesteps[i] = (float) levels[i] * trainTimesteps;
        }
        return new FlowSchedule(endedByZero(levels), timesteps);
    }

    /**
     * LongSANA's: timesteps as they are given, each at the level of the nearest entry of a table
     * whose T levels are s = 1 - k/T, shifted, and whose timesteps are T times that; then 0.
     */
    static FlowSchedule nearest(double[] timesteps, double shift, int trainTimesteps) {
        double[] levels = new double[timesteps.length];
        for (int i = 0; i < levels.length; i++) {
            double least = Double.POSITIVE_INFINITY;
            for (int k = 0; k < trainTimesteps; k++) {
                double level = shifted(1 - (double) k / trainTimesteps, shift);
                double distance = Math.abs(trainTimesteps * level - timesteps[i]);
                if (distance < least) {
                    least = distance;
                    levels[i] = level;
                }
            }
        }
        return new FlowSchedule(endedByZero(levels), timesteps.clone());
    }

    int steps() {
        return timesteps.length;
    }

    double[] timesteps() {
        return timesteps.clone();
    }

    double[] sigmas() {
        double[] wide = new double[sigmas.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = sigmas[i];
        }
        return wide;
    }

    /** Noise level before step {@code i}; after the last step for {@code i == steps()}. */
    double sigma(int i) {
        return sigmas[i];
    }

    /** Share of the clean sample, 1 - sigma. */
    double alpha(int i) {
        return 1 - sigma(i);
    }

    /** Half the log signal-to-noise ratio, ln(alpha / sigma); infinite at level 0. */
    double lambda(int i) {
        return Math.log(alpha(i)) - Math.log(sigma(i));
    }

    /** Value {@code i} of {@code linspace(start, stop, count + 1)}, as NumPy rounds it. */
    private static double between(double start, double stop, int i, int count) {
        return i == count ? stop : i * ((stop - start) / count) + start;
    }

    /** The shift map of flow matching: k s / (1 + (k - 1) s). */
    private static double shifted(double sigma, double shift) {
        return shift * sigma / (1 + (shift - 1) * sigma);
    }

    private static float[] endedByZero(double[] levels) {
        float[] sigmas = new float[levels.length + 1];
        for (int i = 0; i < levels.length; i++) {
            sigmas[i] = (float) levels[i];
        }
        return sigmas;
    }
}
