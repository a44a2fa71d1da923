package io.sanavideo.schedule;

/** Where a sampler that mixes fresh noise in takes it from. */
@FunctionalInterface
public interface StepNoise {
    /**
     * Normal numbers, as many as the latents have and in their order.
     *
     * @param step how many steps are done, from 1
     */
    float[] after(int step);
}
