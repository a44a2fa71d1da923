package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import java.time.Duration;

/**
 * The outcome of denoising, all that decoding needs.
 *
 * @param settings that were in force
 * @param residency of the model's components while denoising, and so while decoding
 * @param latents of the clip
 * @param encoding time that the text took
 * @param denoising time that the steps took
 */
public record Denoised(
        Settings settings,
        Residency residency,
        Latents latents,
        Duration encoding,
        Duration denoising) {}
