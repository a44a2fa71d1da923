package io.sanavideo.runtime;

/**
 * The running state of linear attention over the tokens seen so far.
 *
 * @param values f32 [batch, heads, headSize, headSize]: sum of value times rotated key
 * @param keys f32 [batch, heads, headSize]: sum of keys before rotation
 */
public record LinearState(Tensor values, Tensor keys) {}
