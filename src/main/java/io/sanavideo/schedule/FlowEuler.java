package io.sanavideo.schedule;

import io.sanavideo.runtime.Tensor;

/**
 * Euler's method: the next x is {@code x + (s[i+1] - s[i]) v}. The schedule shifts twice, as
 * diffusers' FlowMatchEulerDiscreteScheduler does: once for its range, once for each level in it.
 */
public final class FlowEuler extends ScheduledSampler {
    /**
     * @param steps 1 to {@code trainTimesteps}
     * @param shift the flow shift, above 0
     * @param trainTimesteps what the model calls noise level 1, usually 1000
     */
    public FlowEuler(int steps, double shift, int trainTimesteps) {
        super(FlowSchedule.euler(steps, shift, trainTimesteps), 0);
    }

    @Override
    void advance(int i, Tensor velocity, Tensor latents) {
        combine(
                latents,
                term(1, latents),
                term(schedule.sigma(i + 1) - schedule.sigma(i), velocity));
    }
}
