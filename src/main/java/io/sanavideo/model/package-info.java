/**
 * The networks: the SANA-Video transformer, the Gemma-2 text encoder, the Wan and the LTX-2 VAE,
 * each with the record of its configuration, on the ops of {@link io.sanavideo.runtime.Ops}.
 * Tensors are channels last: [frames, height, width, channels], tokens the first three flattened.
 */
package io.sanavideo.model;
