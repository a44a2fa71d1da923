package io.sanavideo.schedule;

import io.sanavideo.runtime.DType;
import java.util.List;

/**
 * The few steps of a distilled model, which are a list of timesteps. Source: LongSANA (SANA-Video),
 * inference.
 *
 * <p>The noise level of a timestep t is that of the nearest of 1000 entries, the k-th of which has
 * s = 1 - k/1000, the level shift s / (1 + (shift - 1) s), and the timestep 1000 times its level.
 *
 * @param timesteps what the network is fed, falling, from 1 to 1000; the first is the level of the
 *     noise that a chunk begins as
 * @param flowShift of the table, above 0
 * @param roundedTimesteps whether the network is fed timesteps in bf16, and the clean sample is
 *     computed at their levels, as the reference does by chance: 889 is 888 there, 727 is 728. New
 *     noise is mixed in at the levels of the list either way
 */
public record FewSteps(List<Integer> timesteps, double flowShift, boolean roundedTimesteps) {
    /** What the released model was distilled to. */
    public static final FewSteps LONG_SANA = new FewSteps(List.of(1000, 960, 889, 727), 7, false);

    static final int TRAIN_TIMESTEPS = 1000;

    /**
     * @throws IllegalArgumentException when the list is empty or not falling from 1000 to 1, or the
     *     shift is not above 0
     */
    public FewSteps {
        timesteps = List.copyOf(timesteps);
        int above = TRAIN_TIMESTEPS + 1;
        for (int timestep : timesteps) {
            if (timestep < 1 || timestep >= above) {
                throw new IllegalArgumentException(
                        "timesteps are %s, expected falling ones of 1000 to 1"
                                .formatted(timesteps));
            }
            above = timestep;
        }
        if (timesteps.isEmpty()) {
            throw new IllegalArgumentException("there are no timesteps, expected one or more");
        }
        if (!(flowShift > 0 && flowShift < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "flow shift is %s, expected a number above 0".formatted(flowShift));
        }
    }

    /** A sampler for one chunk. */
    public FlowSampler sampler(StepNoise noise) {
        return new FewStepSampler(this, noise);
    }

    /** What is noise at levels of the list. */
    FlowSchedule listed() {
        return FlowSchedule.nearest(
                timesteps.stream().mapToDouble(timestep -> timestep).toArray(),
                flowShift,
                TRAIN_TIMESTEPS);
    }

    /** What the network is fed, and at which levels that is. */
    FlowSchedule fed() {
        return FlowSchedule.nearest(
                timesteps.stream()
                        .mapToDouble(
                                timestep ->
                                        roundedTimesteps ? DType.roundToBf16(timestep) : timestep)
                        .toArray(),
                flowShift,
                TRAIN_TIMESTEPS);
    }
}
