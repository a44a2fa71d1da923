package io.sanavideo.pipeline;

import io.sanavideo.schedule.FewSteps;
import io.sanavideo.schedule.FlowSampler;
import io.sanavideo.schedule.SchedulerConfig;
import io.sanavideo.schedule.StepNoise;
import java.util.function.Function;

/**
 * How each chunk of a long video is denoised.
 *
 * @param samplers makes the sampler of a chunk, which may ask for noise between its steps
 * @param guidance classifier-free guidance; at 1 or below there is no branch for a negative prompt
 */
public record ChunkSampling(Function<StepNoise, FlowSampler> samplers, double guidance) {
    /** As a clip is: many steps of a solver. */
    public static ChunkSampling of(SchedulerConfig schedule, int steps, double guidance) {
        return new ChunkSampling(noise -> schedule.sampler(steps), guidance);
    }

    /** As a distilled model does: a few steps, which are not guided. */
    public static ChunkSampling of(FewSteps steps) {
        return new ChunkSampling(steps::sampler, 1);
    }
}
