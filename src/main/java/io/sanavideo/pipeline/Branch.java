package io.sanavideo.pipeline;

import io.sanavideo.model.ChunkState;
import io.sanavideo.model.TransformerText;

/**
 * What the transformer reads beside latents: a prompt, and what was made under it before.
 *
 * @param text the prompt, or the negative one
 * @param before the state of the chunks before this one; null for none
 */
record Branch(TransformerText text, ChunkState before) {}
