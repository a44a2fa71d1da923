package io.sanavideo.schedule;

import io.sanavideo.runtime.Tensor;

/**
 * Integrates the flow from noise to a sample, one model call a step. The model predicts the
 * velocity v = noise - x0 of x(s) = (1 - s) x0 + s noise, where s, the noise level, falls from
 * about 1 to 0.
 *
 * <p>A sampler serves one run: its steps are taken once, in order. It keeps its history on the
 * device of the latents from the first step until {@link #close()}. Not thread-safe.
 */
public interface FlowSampler extends AutoCloseable {
    /** Number of steps, and so of model calls. */
    int steps();

    /** What the model is fed, one number a step, in (0, training timesteps], falling. */
    double[] timesteps();

    /** Noise levels, {@link #steps()} + 1 of them, falling to 0; float32 values as in diffusers. */
    double[] sigmas();

    /**
     * {@code latents} becomes the sample after step {@code i}, given the model's velocity at that
     * step.
     *
     * @param i the step, from 0, in order
     * @param velocity f32, any shape; left as it is
     * @param latents f32, the same shape in every step, on the velocity's context
     * @throws IllegalStateException when it is not this step's turn or the sampler is closed
     * @throws IllegalArgumentException when dtypes or shapes do not agree
     */
    void step(int i, Tensor velocity, Tensor latents);

    /** Frees the history. */
    @Override
    void close();
}
