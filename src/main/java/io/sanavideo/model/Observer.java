package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;

/**
 * Sees intermediate tensors of a transformer, by the names that golden vectors give them:
 * patch_embedding, caption, block0.attn1, block0.attn2, block0.ff, block0 and so on. What attention
 * and feed-forward return is seen before their gate, which takes a product of its own: a run that
 * is observed is slower.
 */
@FunctionalInterface
public interface Observer {
    /** The tensor [tokens, channels] holds its content during this call only. */
    void see(String name, Tensor tensor);

    /**
     * The input of a block's layer, [rows, channels], before it is multiplied; a layer may see its
     * rows in several calls.
     */
    default void seeInput(TransformerLayer layer, Tensor input) {}
}
