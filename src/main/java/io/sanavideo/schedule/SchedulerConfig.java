package io.sanavideo.schedule;

import io.sanavideo.Sampler;
import io.sanavideo.weights.Json;
import java.util.Arrays;
import java.util.Objects;

/**
 * What a {@code scheduler_config.json} says about sampling.
 *
 * <p>Every key that changes what the reference computes is read, or refused by name and value when
 * this library has no other. Keys without an effect on flow-matching levels ({@code beta_*}, {@code
 * timestep_spacing}, {@code lambda_min_clipped}, ...) are passed over, as are keys of other
 * schedulers, which diffusers keeps in the file when one scheduler is made from another.
 *
 * <p>The shift is {@code shift} in the file of the Euler scheduler and {@code flow_shift} in the
 * others; a key of the other name is not read, as in diffusers. {@link #withSampler} carries the
 * shift over to the other sampler. This is where diffusers' {@code
 * FlowMatchEulerDiscreteScheduler.from_config(dpm_config, flow_shift=8)} differs: it drops the
 * argument and samples with shift 1.
 *
 * @param sampler the sampler
 * @param flowShift the shift k of s' = k s / (1 + (k - 1) s), above 0; 1 leaves levels as they are
 * @param trainTimesteps the timestep of noise level 1, from 1
 * @param order 1 or 2, order of the multistep solvers; the Euler sampler has no use for it
 */
public record SchedulerConfig(Sampler sampler, double flowShift, int trainTimesteps, int order) {
    private static final int HIGHEST_ORDER = 2;

    /**
     * @throws IllegalArgumentException when a number is out of its range
     */
    public SchedulerConfig {
        if (!(flowShift > 0 && flowShift < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "flow shift is %s, expected a number above 0".formatted(flowShift));
        }
        if (trainTimesteps < 1) {
            throw new IllegalArgumentException(
                    "training timesteps are %d, expected 1 or more".formatted(trainTimesteps));
        }
        if (order < 1 || order > HIGHEST_ORDER) {
            throw new IllegalArgumentException("order is %d, expected 1 or 2".formatted(order));
        }
    }

    /**
     * Reads a scheduler configuration; absent keys have the defaults of their diffusers class.
     *
     * @throws io.sanavideo.ModelFormatException when a value is broken or not supported: names
     *     file, key, value and what is supported
     */
    public static SchedulerConfig of(Json config) {
        String className = config.requiredText("_class_name");
        Sampler sampler =
                Arrays.stream(Sampler.values())
                        .filter(kind -> className.equals(kind.className()))
                        .findFirst()
                        .orElseThrow(() -> config.unexpected("_class_name", classNames()));
        for (String key :
                new String[] {
                    "use_karras_sigmas",
                    "use_exponential_sigmas",
                    "use_beta_sigmas",
                    "use_dynamic_shifting"
                }) {
            requireFlag(config, key, false, false);
        }
        if (sampler == Sampler.EULER) {
            requireFlag(config, "invert_sigmas", false, false);
            requireFlag(config, "stochastic_sampling", false, false);
            requireAbsent(config, "shift_terminal");
            return new SchedulerConfig(
                    sampler, shift(config, "shift"), timesteps(config), HIGHEST_ORDER);
        }
        requireFlag(config, "use_flow_sigmas", true, false);
        requireFlag(config, "thresholding", false, false);
        requireText(config, "prediction_type", "flow_prediction", "epsilon");
        requireText(config, "final_sigmas_type", "zero", "zero");
        if (sampler == Sampler.DPM) {
            requireFlag(config, "use_lu_lambdas", false, false);
            requireText(config, "algorithm_type", "dpmsolver++", "dpmsolver++");
            requireText(config, "solver_type", "midpoint", "midpoint");
        } else {
            requireFlag(config, "predict_x0", true, true);
            requireFlag(config, "lower_order_final", true, true);
            requireText(config, "solver_type", "bh2", "bh2");
            requireAbsent(config, "solver_p");
            requireAbsent(config, "shift_terminal");
            if (config.has("disable_corrector")
                    && config.requiredInts("disable_corrector", 0).length > 0) {
                throw config.unexpected("disable_corrector", "[], the only supported value");
            }
        }
        int order = config.optionalInt("solver_order", 1, HIGHEST_ORDER);
        if (order > HIGHEST_ORDER) {
            throw config.unexpected("solver_order", "1 or 2, the supported values");
        }
        return new SchedulerConfig(sampler, shift(config, "flow_shift"), timesteps(config), order);
    }

    /** The same configuration with another sampler, its shift, timesteps and order kept. */
    public SchedulerConfig withSampler(Sampler other) {
        return new SchedulerConfig(other, flowShift, trainTimesteps, order);
    }

    /** The same configuration with another flow shift, above 0. */
    public SchedulerConfig withFlowShift(double other) {
        return new SchedulerConfig(sampler, other, trainTimesteps, order);
    }

    /**
     * A sampler for one run.
     *
     * @param steps model calls, 1 to {@link #trainTimesteps()}
     * @throws IllegalArgumentException when steps are out of this range
     */
    public FlowSampler sampler(int steps) {
        if (steps < 1 || steps > trainTimesteps) {
            throw new IllegalArgumentException(
                    "%d steps were asked for, expected 1 to %d".formatted(steps, trainTimesteps));
        }
        return switch (sampler) {
            case DPM -> new FlowDpmSolver(steps, flowShift, trainTimesteps, order);
            case UNIPC -> new FlowUniPc(steps, flowShift, trainTimesteps, order);
            case EULER -> new FlowEuler(steps, flowShift, trainTimesteps);
            case FEW_STEP ->
                    throw new IllegalArgumentException(
                            "the few-step sampler makes long video chunk by chunk, expected dpm++, unipc or euler, or a chunk");
        };
    }

    private static String classNames() {
        return "one of "
                + String.join(
                        ", ",
                        Arrays.stream(Sampler.values())
                                .map(Sampler::className)
                                .filter(Objects::nonNull)
                                .toList());
    }

    private static double shift(Json config, String key) {
        double shift = config.optionalDouble(key, 1);
        if (shift <= 0) {
            throw config.unexpected(key, "a number above 0");
        }
        return shift;
    }

    private static int timesteps(Json config) {
        return config.optionalInt("num_train_timesteps", 1, 1000);
    }

    private static void requireFlag(Json config, String key, boolean supported, boolean fallback) {
        if (config.optionalBoolean(key, fallback) != supported) {
            throw config.unexpected(key, supported + ", the only supported value");
        }
    }

    private static void requireText(Json config, String key, String supported, String fallback) {
        if (!config.optionalText(key, fallback).equals(supported)) {
            throw config.unexpected(key, "\"%s\", the only supported value".formatted(supported));
        }
    }

    private static void requireAbsent(Json config, String key) {
        if (config.has(key)) {
            throw config.unexpected(key, "null, the only supported value");
        }
    }
}
