package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.Plan;
import java.time.Duration;

/**
 * The outcome of denoising, all that decoding needs.
 *
 * @param job what was made
 * @param plan by which it was denoised, and so is decoded
 * @param latents of the clip
 * @param encoding time that the text took
 * @param denoising time that the steps took
 */
public record Denoised(Job job, Plan plan, Latents latents, Duration encoding, Duration denoising) {
    /** That were in force. */
    public Settings settings() {
        return job.settings();
    }
}
