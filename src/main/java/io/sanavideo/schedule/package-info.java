/** Noise of PyTorch's generator, and the samplers that turn noise into latents step by step. */
package io.sanavideo.schedule;
