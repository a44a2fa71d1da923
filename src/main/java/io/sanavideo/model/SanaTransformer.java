package io.sanavideo.model;

import io.sanavideo.LayerPolicy;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * The SANA-Video transformer: weights on a device, packed once. A {@link TransformerRun} predicts
 * the velocity of a latent clip, a {@link TransformerText} tells it the prompt.
 *
 * <p>In bf16 weights and activations are bf16; sums, statistics, the attention's state and
 * everything that is fused to a product are fp32 and rounded once, when stored.
 */
public final class SanaTransformer implements AutoCloseable {
    /** The file of a quantised transformer's {@link LayerPolicy}. */
    public static final String POLICY = "precision.json";

    /** Epsilon of the caption's RMS norm and of the last layer norm, which no config names. */
    private static final float CAPTION_NORM_EPSILON = 1e-5f;

    private static final float OUTPUT_NORM_EPSILON = 1e-6f;

    private final TransformerConfig config;
    private final LayerPolicy policy;
    private final NamedWeights weights;
    private final Weight patchEmbedding;
    private final Tensor patchEmbeddingBias;
    private final TimeEmbedding time;
    private final Weight caption1;
    private final Tensor caption1Bias;
    private final Weight caption2;
    private final Tensor caption2Bias;
    private final Tensor captionNorm;
    private final Layers<TransformerBlock> blocks;
    private final boolean quantizes;
    private final TransformerLayer quantizedConvolution;
    private final Tensor scaleShiftTable;
    private final Weight output;
    private final Tensor outputBias;

    /**
     * @param streamed its blocks, or null to load all of them now
     */
    private SanaTransformer(
            TransformerConfig config,
            NamedWeights weights,
            LayerPolicy policy,
            Layers<TransformerBlock> streamed) {
        this.config = config;
        this.policy = policy;
        this.weights = weights;
        patchEmbedding = weights.weight(WeightKind.LINEAR, "patch_embedding.weight");
        patchEmbeddingBias = weights.vector("patch_embedding.bias");
        time = new TimeEmbedding(weights, config);
        caption1 = weights.weight(WeightKind.LINEAR, "caption_projection.linear_1.weight");
        caption1Bias = weights.vector("caption_projection.linear_1.bias");
        caption2 = weights.weight(WeightKind.LINEAR, "caption_projection.linear_2.weight");
        caption2Bias = weights.vector("caption_projection.linear_2.bias");
        captionNorm = weights.vector("caption_norm.weight");
        blocks =
                streamed != null
                        ? streamed
                        : Layers.resident(
                                IntStream.range(0, config.layers())
                                        .mapToObj(i -> block(weights, config, i, policy))
                                        .toList());
        scaleShiftTable = weights.vector("scale_shift_table");
        output = weights.weight(WeightKind.LINEAR, "proj_out.weight");
        outputBias = weights.vector("proj_out.bias");
        // Where blocks are streamed each is loaded once now: what is loaded later is sound.
        boolean[] any = new boolean[1];
        TransformerLayer[] convolution = new TransformerLayer[1];
        blocks.forEach(
                (block, i) -> {
                    any[0] |= block.quantizes();
                    if (convolution[0] == null) {
                        convolution[0] = block.quantizedConvolution();
                    }
                });
        quantizes = any[0];
        quantizedConvolution = convolution[0];
    }

    private static TransformerBlock block(
            NamedWeights weights, TransformerConfig config, int index, LayerPolicy policy) {
        List<TransformerLayer> layers = TransformerLayer.of(config);
        int ofBlock = layers.size() / config.layers();
        List<TransformerLayer> own = layers.subList(index * ofBlock, (index + 1) * ofBlock);
        return new TransformerBlock(weights, config, index, own, policy);
    }

    /**
     * Loads a component folder: {@code config.json} and its weights.
     *
     * @param compute F32 or BF16
     * @throws io.sanavideo.ModelFormatException when a file is broken or not supported
     * @throws io.sanavideo.NumericsException when a weight is NaN or infinite
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public static SanaTransformer load(Context context, Path folder, DType compute) {
        return load(
                context,
                folder,
                compute,
                LayerPolicy.OF_MODEL,
                List.of(),
                LoraMode.MERGE,
                false,
                bytes -> {});
    }

    /**
     * As the other.
     *
     * @param policy which layers run in what
     * @param loras what it is adapted by
     * @param loraMode how
     * @param streamed whether a block is in memory only while it runs
     * @param progress told the bytes of each part that was loaded
     * @throws IllegalArgumentException when the policy asks for what the folder does not hold
     */
    public static SanaTransformer load(
            Context context,
            Path folder,
            DType compute,
            LayerPolicy policy,
            List<Lora> loras,
            LoraMode loraMode,
            boolean streamed,
            LongConsumer progress) {
        TransformerConfig config = TransformerConfig.of(Json.read(folder.resolve("config.json")));
        LayerPolicy chosen = policy.over(storedPolicy(folder));
        Source source = new Source(context, folder, compute, config, loras, loraMode);
        Layers<TransformerBlock> blocks =
                streamed
                        ? Layers.streamed(
                                config.layers(),
                                i ->
                                        source.load(
                                                bytes -> {},
                                                weights ->
                                                        new Layers.Loaded<>(
                                                                block(weights, config, i, chosen),
                                                                weights)))
                        : null;
        return source.load(
                progress, weights -> new SanaTransformer(config, weights, chosen, blocks));
    }

    /** Where weights come from, as often as they are loaded. */
    private record Source(
            Context context,
            Path folder,
            DType compute,
            TransformerConfig config,
            List<Lora> loras,
            LoraMode loraMode) {
        <T> T load(LongConsumer progress, Function<NamedWeights, T> model) {
            try (LoraLayers adapted =
                    LoraLayers.open(loras, loraMode, TransformerTensors.of(config))) {
                return NamedWeights.load(
                        context,
                        folder,
                        compute,
                        adapted,
                        progress,
                        checkpoint -> TransformerTensors.of(config, checkpoint),
                        model);
            }
        }
    }

    /** The policy that lies beside a folder's weights; null where there is none. */
    public static LayerPolicy storedPolicy(Path folder) {
        Path file = folder.resolve(POLICY);
        return Files.exists(file) ? LayerPolicy.read(file) : null;
    }

    /** Whether weights of a transformer's folder are NVFP4. */
    public static boolean isQuantized(Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return checkpoint.names().stream().anyMatch(Nvfp4Tensors::isScales);
        }
    }

    /** Whether there are layers whose activations are quantised. */
    boolean quantizes() {
        return quantizes;
    }

    /**
     * Refuses a network that cannot go on from an earlier chunk.
     *
     * @throws IllegalArgumentException when a temporal convolution's input is NVFP4
     */
    void requireGoesOn() {
        if (quantizedConvolution != null) {
            throw new IllegalArgumentException(
                    "the policy gives '%s' nvfp4, whose product reads no frame of an earlier chunk: a video of several chunks needs nvfp4-weights or bf16 there"
                            .formatted(quantizedConvolution.name()));
        }
    }

    /** Whether a block is in memory only while it runs. */
    public boolean isStreamed() {
        return blocks.isStreamed();
    }

    public TransformerConfig config() {
        return config;
    }

    /** Which layers run in what, and when activations are dense. */
    public LayerPolicy policy() {
        return policy;
    }

    public Context context() {
        return weights.context();
    }

    /** What weights and activations are, F32 or BF16. */
    public DType compute() {
        return weights.compute();
    }

    TimeEmbedding time() {
        return time;
    }

    Layers<TransformerBlock> blocks() {
        return blocks;
    }

    /**
     * The caption projection and its norm.
     *
     * @param embeddings [tokens, captionChannels]
     * @param caption out: [tokens, width]
     */
    void projectCaption(Tensor embeddings, Tensor caption) {
        Ops ops = context().ops();
        try (Tensor hidden = context().tensor(compute(), caption.shape())) {
            Epilogue first = Epilogue.bias(caption1Bias).activation(Activation.GELU_TANH);
            ops.linear(embeddings, caption1, first, hidden);
            ops.linear(hidden, caption2, Epilogue.bias(caption2Bias), caption);
        }
        ops.rmsNorm(caption, 0, captionNorm, 0, CAPTION_NORM_EPSILON, null, caption);
    }

    /** Cuts latents into patches and embeds them as the residual stream. */
    void embedPatches(Tensor latents, Activations buffers) {
        Ops ops = context().ops();
        ops.patchify(
                latents,
                config.patchFrames(),
                config.patchHeight(),
                config.patchWidth(),
                buffers.patches);
        ops.linear(
                buffers.patches, patchEmbedding, Epilogue.bias(patchEmbeddingBias), buffers.stream);
    }

    /** Turns the residual stream into the velocity. */
    void projectOut(Activations buffers, TimeEmbedding.Values values, Tensor velocity) {
        Ops ops = context().ops();
        Tensor modulation = values.ofOutput(scaleShiftTable);
        ops.layerNormModulated(
                buffers.stream, modulation, 0, 1, OUTPUT_NORM_EPSILON, buffers.normed);
        ops.linear(buffers.normed, output, Epilogue.bias(outputBias), buffers.predicted);
        ops.unpatchify(
                buffers.predicted,
                config.patchFrames(),
                config.patchHeight(),
                config.patchWidth(),
                velocity);
    }

    @Override
    public void close() {
        weights.close();
    }
}
