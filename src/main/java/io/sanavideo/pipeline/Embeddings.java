package io.sanavideo.pipeline;

import io.sanavideo.runtime.Tensor;

/**
 * Prompts as the text encoder leaves them.
 *
 * @param prompt [tokens, captionChannels]
 * @param negative the negative prompt's; null where nothing is guided
 */
public record Embeddings(Tensor prompt, Tensor negative) implements AutoCloseable {
    @Override
    public void close() {
        prompt.close();
        if (negative != null) {
            negative.close();
        }
    }
}
