package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Gemma-2 as a text encoder (transformers, Gemma2Model): the hidden states after the final norm.
 * Only the tokens that count go in: attention is causal, so padding on the right never reaches
 * them.
 */
public final class Gemma2Encoder implements AutoCloseable {
    private final Gemma2Config config;
    private final NamedWeights weights;
    private final Tensor embeddings;
    private final Layers<Gemma2Layer> layers;
    private final Tensor norm;

    /**
     * @param streamed its layers, or null to load all of them now
     */
    private Gemma2Encoder(Gemma2Config config, NamedWeights weights, Layers<Gemma2Layer> streamed) {
        String prefix = Gemma2Tensors.prefix(weights::has);
        this.config = config;
        this.weights = weights;
        embeddings = weights.table(prefix + Gemma2Tensors.EMBEDDINGS);
        layers =
                streamed != null
                        ? streamed
                        : Layers.resident(
                                IntStream.range(0, config.layers())
                                        .mapToObj(i -> layer(weights, config, i))
                                        .toList());
        norm = weights.vector(prefix + Gemma2Tensors.NORM);
        if (layers.isStreamed()) {
            // Each is loaded once now: what is loaded later is sound.
            layers.forEach((layer, i) -> {});
        }
    }

    private static Gemma2Layer layer(NamedWeights weights, Gemma2Config config, int index) {
        String prefix = Gemma2Tensors.prefix(weights::has);
        return new Gemma2Layer(weights, config, Gemma2Tensors.layer(prefix, index), index);
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
        return load(context, folder, compute, false, bytes -> {});
    }

    /**
     * As the other.
     *
     * @param streamed whether a layer is in memory only while it runs
     * @param progress told the bytes of each part that was loaded
     */
    public static Gemma2Encoder load(
            Context context, Path folder, DType compute, boolean streamed, LongConsumer progress) {
        Gemma2Config config = Gemma2Config.of(Json.read(folder.resolve("config.json")));
        Source source = new Source(context, folder, compute, config);
        Layers<Gemma2Layer> layers =
                streamed
                        ? Layers.streamed(
                                config.layers(),
                                i ->
                                        source.load(
                                                bytes -> {},
                                                weights ->
                                                        new Layers.Loaded<>(
                                                                layer(weights, config, i),
                                                                weights)))
                        : null;
        return source.load(progress, weights -> new Gemma2Encoder(config, weights, layers));
    }

    /** Where weights come from, as often as they are loaded. */
    private record Source(Context context, Path folder, DType compute, Gemma2Config config) {
        <T> T load(LongConsumer progress, Function<NamedWeights, T> model) {
            return NamedWeights.load(
                    context,
                    folder,
                    compute,
                    progress,
                    checkpoint -> Gemma2Tensors.of(config, checkpoint::has),
                    model);
        }
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
            layers.forEach((layer, i) -> layer.forward(states, buffers));
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
