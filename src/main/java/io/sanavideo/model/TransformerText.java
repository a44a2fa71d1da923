package io.sanavideo.model;

import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A prompt as the transformer reads it: the caption projected and normalised, and every block's
 * keys and values of it, computed once for all steps. It takes tokens * layers * 2 * crossWidth
 * elements of the compute dtype: 54 MB for 300 tokens at the released widths in bf16.
 */
public final class TransformerText implements AutoCloseable {
    private final Scope scope;
    private final List<Tensor> keysValues = new ArrayList<>();

    /**
     * @param embeddings [tokens, captionChannels] of the transformer's compute dtype: the text
     *     encoder's output for the tokens that count, padding left out; at least one
     */
    public TransformerText(SanaTransformer transformer, Tensor embeddings) {
        this(transformer, embeddings, null);
    }

    /**
     * @param observer sees "caption" after its norm; null for none
     */
    public TransformerText(SanaTransformer transformer, Tensor embeddings, Observer observer) {
        scope = new Scope(transformer.context());
        long tokens = embeddings.size(0);
        try (Tensor caption =
                transformer
                        .context()
                        .tensor(transformer.compute(), tokens, transformer.config().width())) {
            transformer.projectCaption(embeddings, caption);
            if (observer != null) {
                observer.see("caption", caption);
            }
            transformer
                    .blocks()
                    .forEach(
                            (block, i) -> {
                                long[] shape = block.keysValuesShape(tokens);
                                Tensor projected = scope.tensor(transformer.compute(), shape);
                                block.projectText(caption, projected, observer);
                                keysValues.add(projected);
                            });
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    Tensor keysValues(int block) {
        return keysValues.get(block);
    }

    @Override
    public void close() {
        scope.close();
    }
}
