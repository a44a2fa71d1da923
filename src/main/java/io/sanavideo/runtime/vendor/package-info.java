/**
 * The libraries of the card's vendor, cuBLASLt and cuDNN, in place of own kernels where they are
 * faster: {@link io.sanavideo.runtime.vendor.Libraries} finds and loads them, {@link
 * io.sanavideo.runtime.vendor.KernelTrial} measures, {@link
 * io.sanavideo.runtime.vendor.ChosenKernels} runs what was chosen.
 */
package io.sanavideo.runtime.vendor;
