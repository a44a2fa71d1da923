package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.LinearState;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What a transformer keeps of chunks that are done, for the next one to read: of every layer the
 * sums of its linear attention over their tokens, and the last frame of its feed-forward before the
 * temporal convolution. Its size depends on the model and the picture, not on how many chunks are
 * in it. Source: LongSANA (SANA-Video, section "block linear attention"), inference with cached
 * chunks.
 *
 * <ul>
 *   <li>values: f32 [layers, heads, headSize, headSize], sums of value times rotated key
 *   <li>keys: f32 [layers, heads, headSize], sums of keys before rotation
 *   <li>last frames: [layers, pixels, width] of the compute dtype, pixels being tokens of a frame
 * </ul>
 *
 * <p>At the released widths and 480x832 pixels in bf16 the sums take 20 MB, the frames 140 MB.
 */
public final class ChunkState implements AutoCloseable {
    /**
     * One layer's, views of the whole.
     *
     * @param sums f32 [1, heads, headSize, headSize] and [1, heads, headSize]
     * @param lastFrame [1, pixels, width]
     */
    record Layer(LinearState sums, Tensor lastFrame) {}

    private final Scope scope;
    private final Tensor values;
    private final Tensor keys;
    private final Tensor lastFrames;
    private final List<Layer> layers = new ArrayList<>();

    /**
     * A state of zeros: of no chunk.
     *
     * @param height latent rows
     * @param width latent columns
     * @throws IllegalArgumentException when the size is not one the network can do, or the network
     *     cannot go on from a chunk: a temporal convolution's input is NVFP4
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    ChunkState(SanaTransformer transformer, int height, int width) {
        this(transformer, height, width, null);
    }

    private ChunkState(SanaTransformer transformer, int height, int width, Tensor sharedFrames) {
        transformer.requireGoesOn();
        TransformerConfig config = transformer.config();
        long pixels = pixels(config, height, width);
        long count = config.layers();
        long heads = config.heads();
        long size = config.headSize();
        scope = new Scope(transformer.context());
        try {
            values = scope.tensor(DType.F32, count, heads, size, size);
            keys = scope.tensor(DType.F32, count, heads, size);
            lastFrames =
                    sharedFrames != null
                            ? sharedFrames
                            : scope.tensor(transformer.compute(), count, pixels, config.width());
            clear();
            for (int i = 0; i < count; i++) {
                layers.add(
                        new Layer(
                                new LinearState(values.slice(i, 1), keys.slice(i, 1)),
                                lastFrames.slice(i, 1)));
            }
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    /** A state with sums of its own; its last frames are this one's. */
    ChunkState sharingFrames(SanaTransformer transformer, int height, int width) {
        return new ChunkState(transformer, height, width, lastFrames);
    }

    /**
     * Bytes of the sums.
     *
     * @param config of the transformer
     */
    static long sumBytes(TransformerConfig config) {
        long perHead = (long) config.headSize() * (config.headSize() + 1);
        return config.layers() * config.heads() * perHead * DType.F32.bytes();
    }

    /**
     * Bytes of the last frames.
     *
     * @param compute what the transformer computes in
     * @param height latent rows
     * @param width latent columns
     */
    static long frameBytes(TransformerConfig config, DType compute, int height, int width) {
        return config.layers() * pixels(config, height, width) * config.width() * compute.bytes();
    }

    private static long pixels(TransformerConfig config, int height, int width) {
        return TokenGrid.of(config, config.patchFrames(), height, width).pixels();
    }

    int layers() {
        return layers.size();
    }

    Layer layer(int index) {
        return layers.get(index);
    }

    private void clear() {
        values.clear();
        keys.clear();
        lastFrames.clear();
    }

    /** Becomes a copy of another, in its own memory. */
    void copyFrom(ChunkState other) {
        copySumsFrom(other);
        lastFrames.copyFrom(other.lastFrames);
    }

    /** Takes over another's sums. */
    void copySumsFrom(ChunkState other) {
        values.copyFrom(other.values);
        keys.copyFrom(other.keys);
    }

    /** Adds another's sums. */
    void addSums(ChunkState other) {
        add(values, other.values);
        add(keys, other.keys);
    }

    private static void add(Tensor sum, Tensor other) {
        sum.context().ops().combine(new float[] {1, 1}, new Tensor[] {sum, other}, sum);
    }

    /** All layers' sums of value times rotated key. */
    public Tensor values() {
        return values;
    }

    /** All layers' sums of keys. */
    public Tensor keys() {
        return keys;
    }

    /** All layers' last frames. */
    public Tensor lastFrames() {
        return lastFrames;
    }

    @Override
    public void close() {
        scope.close();
    }
}
