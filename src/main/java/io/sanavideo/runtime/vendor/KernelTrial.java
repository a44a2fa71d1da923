package io.sanavideo.runtime.vendor;

import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Scope;
import java.util.List;

/**
 * Measures who does a problem fastest: the own kernel, or a library by one of its algorithms and
 * the op that finishes its product. A library is taken where it is faster by more than {@link
 * #MARGIN} and agrees with the own kernel.
 */
final class KernelTrial {
    /** Part of the own kernel's time by which a library must be faster: noise decides nothing. */
    private static final double MARGIN = 0.02;

    /** Relative L2 error between two results of at most two bf16 roundings each, with much room. */
    private static final double AGREES = 2e-2;

    private static final int ROUNDS = 3;
    private static final double ROUND_SECONDS = 2e-3;
    private static final int MAX_CALLS = 100;

    private final Context context;
    private final Libraries libraries;

    KernelTrial(Context context, Libraries libraries) {
        this.context = context;
        this.libraries = libraries;
    }

    /**
     * The fastest choice for a problem.
     *
     * @param libraryOnly whether the own kernel is out of the race, unless no library can do it
     * @throws io.sanavideo.DoesNotFitException when memory does not hold its operands
     */
    Choice choose(Problem problem, boolean libraryOnly) {
        List<Choice> candidates = libraries.of(problem).candidates(problem);
        if (candidates.isEmpty()) {
            return Choice.OWN;
        }
        try (Scope scope = new Scope(context)) {
            Operands operands = Operands.of(problem, scope);
            double own = seconds(Choice.OWN, operands);
            float[] expected = operands.result();
            Choice best = Choice.OWN;
            double fastest = libraryOnly ? Double.POSITIVE_INFINITY : own * (1 - MARGIN);
            for (Choice candidate : candidates) {
                try {
                    operands.out().clear();
                    double time = seconds(candidate, operands);
                    if (time < fastest && agrees(operands.result(), expected)) {
                        fastest = time;
                        best = candidate;
                    }
                } catch (DeviceException e) {
                    // The library does not do it by this one of its algorithms after all.
                }
            }
            return best;
        } finally {
            context.trim();
        }
    }

    /** Seconds of a call, the best of some rounds of several. */
    private double seconds(Choice choice, Operands operands) {
        context.offerTo(new ChosenKernels(context, libraries, any -> choice));
        // The first call allocates.
        seconds(operands, 1);
        double best = seconds(operands, 1);
        int calls = (int) Math.min(MAX_CALLS, Math.max(1, ROUND_SECONDS / best));
        for (int round = 0; round < ROUNDS; round++) {
            best = Math.min(best, seconds(operands, calls));
        }
        return best;
    }

    private double seconds(Operands operands, int calls) {
        context.synchronize();
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            operands.run();
        }
        context.synchronize();
        return (System.nanoTime() - start) / 1e9 / calls;
    }

    private static boolean agrees(float[] actual, float[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - (double) expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        // NaN agrees with nothing.
        return Math.sqrt(difference / norm) < AGREES;
    }
}
