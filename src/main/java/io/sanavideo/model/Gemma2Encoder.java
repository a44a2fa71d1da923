package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Gemma-2 as a text encoder (transformers, Gemma2Model): the hidden states after the final norm.
 * Only the tokens that count go in: attention is causal, so padding on the right never reaches
 * them.
 */
public final class Gemma2Encoder implements AutoCloseable {
    private final Gemma2Config config;
    private final NamedWeights weights;
    private final Tensor embeddings;
    private final List<Gemma2Layer> layers = new ArrayList<>();
    private final Tensor norm;

    private Gemma2Encoder(Gemma2Config config, NamedWeights weights, String prefix) {
        this.config = config;
        this.weights = weights;
        embeddings = weights.table(prefix + Gemma2Tensors.EMBEDDINGS);
        for (int i = 0; i < config.layers(); i++) {
            layers.add(new Gemma2Layer(weights, config, Gemma2Tensors.layer(prefix, i), i));
        }
        norm = weights.vector(prefix + Gemma2Tensors.NORM);
    }

    /**
     * Loads a component folder: {@code config.json} and its weights.
     *
     * @param compute F32 or BF16
     * @throws io.sanavideo.ModelFormatException when a file is broken or not supported
     * @throws io.sanavideo.NumericsException when a weight is NaN or infinite
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public static Gemma2Encoder load(Context context, Path folder, DType compute) {
        return load(context, folder, compute, bytes -> {});
    }

    /** As the other; {@code progress} is told the bytes of each part that was loaded. */
    public static Gemma2Encoder load(
            Context context, Path folder, DType compute, LongConsumer progress) {
        Gemma2Config config = Gemma2Config.of(Json.read(folder.resolve("config.json")));
        return NamedWeights.load(
                context,
                folder,
                compute,
                progress,
                checkpoint -> Gemma2Tensors.of(config, checkpoint::has),
                weights -> new Gemma2Encoder(config, weights, Gemma2Tensors.prefix(weights::has)));
    }

    public Gemma2Config config() {
        return config;
    }

    public Context context() {
        return weights.context();
    }

    /**
     * Encodes a text.
     *
     * @param ids its tokens without padding, 1 to maxPositions of them
     * @return [tokens, width] of the compute dtype; the caller closes it
     * @throws IllegalArgumentException when there are none or too many, or an id is not one of the
     *     vocabulary
     */
    public Tensor encode(int[] ids) {
        if (ids.length < 1 || ids.length > config.maxPositions()) {
            throw new IllegalArgumentException(
                    "a text of %d tokens was given, expected 1 to %d"
                            .formatted(ids.length, config.maxPositions()));
        }
        Context context = context();
        Ops ops = context.ops();
        Tensor states = context.tensor(weights.compute(), ids.length, config.width());
        try (Gemma2Layer.Buffers buffers =
                new Gemma2Layer.Buffers(context, config, weights.compute(), ids.length)) {
            ops.embedding(embeddings, ids, embeddingScale(), states);
            for (Gemma2Layer layer : layers) {
                layer.forward(states, buffers);
            }
            ops.rmsNorm(states, 0, norm, Gemma2Layer.NORM_OFFSET, epsilon(), null, states);
            return states;
        } catch (Throwable e) {
            states.close();
            throw e;
        }
    }

    /** sqrt(width) in bf16, whatever is computed in: the references cast this number too. */
    private float embeddingScale() {
        return DType.roundToBf16((float) Math.sqrt(config.width()));
    }

    private float epsilon() {
        return (float) config.normEpsilon();
    }

    @Override
    public void close() {
        weights.close();
    }
}
