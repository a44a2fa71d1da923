package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import java.time.Duration;

/**
 * The outcome of denoising, all that decoding needs.
 *
 * @param settings that were in force
 * @param latents of the clip
 * @param elapsed time it took, the text encoder's included
 */
public record Denoised(Settings settings, Latents latents, Duration elapsed) {}
