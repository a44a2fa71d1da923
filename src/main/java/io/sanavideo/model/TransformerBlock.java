package io.sanavideo.model;

import io.sanavideo.LayerPolicy;
import io.sanavideo.model.Projection.Input;
import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.LinearState;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * One block of SANA-Video (diffusers, SanaVideoTransformerBlock): linear self-attention, attention
 * to the text, and a gated convolutional feed-forward, each added to the residual stream.
 */
final class TransformerBlock {
    /** Epsilon of the RMS norms of queries and keys, which no config names. */
    private static final float QK_NORM_EPSILON = 1e-5f;

    /** Keeps a head whose queries are all zero from dividing by zero. */
    private static final float ATTENTION_EPSILON = 1e-15f;

    // Rows of the modulation; a scale follows its shift.
    private static final int ATTENTION_SHIFT = 0;
    private static final int ATTENTION_GATE = 2;
    private static final int FEED_FORWARD_SHIFT = 3;
    private static final int FEED_FORWARD_GATE = 5;

    private final String name;
    private final float normEpsilon;
    private final int crossWidth;
    private final int crossHeads;
    private final Ops ops;
    private final Tensor scaleShiftTable;
    private final Projection qkv;
    private final Tensor qkvBias;
    private final Tensor queryNorm;
    private final Tensor keyNorm;
    private final Projection attentionOut;
    private final Tensor attentionOutBias;
    private final Projection crossQuery;
    private final Tensor crossQueryBias;
    private final Projection crossKeyValue;
    private final Tensor crossKeyValueBias;
    private final Tensor crossQueryNorm;
    private final Tensor crossKeyNorm;
    private final Projection crossOut;
    private final Tensor crossOutBias;
    private final Projection inverted;
    private final Tensor invertedBias;
    private final Weight depthwise;
    private final Tensor depthwiseBias;
    private final Projection point;
    private final Projection temporal;

    /**
     * @param layers of this block, as {@link TransformerLayer#of} lists them
     */
    TransformerBlock(
            NamedWeights weights,
            TransformerConfig config,
            int index,
            List<TransformerLayer> layers,
            LayerPolicy policy) {
        name = "block" + index;
        normEpsilon = (float) config.normEpsilon();
        crossWidth = config.crossWidth();
        crossHeads = config.crossHeads();
        ops = weights.context().ops();
        String block = TransformerTensors.block(index);
        scaleShiftTable = weights.vector(block + "scale_shift_table");
        Iterator<TransformerLayer> next = layers.iterator();
        Supplier<Projection> projection = () -> Projection.load(weights, policy, next.next());
        String self = block + "attn1.";
        qkv = projection.get();
        qkvBias =
                config.attentionBias()
                        ? weights.vector(self + "to_q.bias", self + "to_k.bias", self + "to_v.bias")
                        : null;
        queryNorm = weights.vector(self + "norm_q.weight");
        keyNorm = weights.vector(self + "norm_k.weight");
        attentionOut = projection.get();
        attentionOutBias = weights.vector(self + "to_out.0.bias");
        String cross = block + "attn2.";
        crossQuery = projection.get();
        crossQueryBias = weights.vector(cross + "to_q.bias");
        crossKeyValue = projection.get();
        crossKeyValueBias = weights.vector(cross + "to_k.bias", cross + "to_v.bias");
        crossQueryNorm = weights.vector(cross + "norm_q.weight");
        crossKeyNorm = weights.vector(cross + "norm_k.weight");
        crossOut = projection.get();
        crossOutBias = weights.vector(cross + "to_out.0.bias");
        String feedForward = block + "ff.";
        inverted = projection.get();
        invertedBias = weights.vector(feedForward + "conv_inverted.bias");
        depthwise = weights.weight(WeightKind.DEPTHWISE, feedForward + "conv_depth.weight");
        depthwiseBias = weights.vector(feedForward + "conv_depth.bias");
        point = projection.get();
        temporal = projection.get();
    }

    /** Whether a layer's input is NVFP4. */
    boolean quantizes() {
        return Stream.of(qkv, attentionOut, crossQuery, crossOut, inverted, point, temporal)
                .anyMatch(projection -> projection.takesQuantized(false));
    }

    /**
     * The temporal convolution, if its input is NVFP4, which holds no frame before it; else null.
     */
    TransformerLayer quantizedConvolution() {
        return temporal.takesQuantized(false) ? temporal.layer() : null;
    }

    /**
     * Keys (normalised) and values of the text, which are the same at every step.
     *
     * @param caption [tokens, width], projected and normalised
     * @param keysValues out: [tokens, 2, crossHeads, crossHeadSize]
     * @param observer null for none
     */
    void projectText(Tensor caption, Tensor keysValues, Observer observer) {
        long tokens = caption.size(0);
        Context context = caption.context();
        try (Tensor rows = keysValues.reshape(tokens, 2L * crossWidth);
                Tensor parts = keysValues.reshape(tokens, 2, crossWidth);
                Tensor memory =
                        context.tensor(DType.U8, Nvfp4Matrix.bytes(tokens, caption.size(1)));
                Nvfp4Matrix quantized = new Nvfp4Matrix(memory, tokens, caption.size(1))) {
            Input input = input(caption, crossKeyValue, quantized, false);
            observe(observer, crossKeyValue, input);
            crossKeyValue.multiply(ops, input, Epilogue.bias(crossKeyValueBias), rows);
            ops.rmsNorm(parts, 0, crossKeyNorm, 0, QK_NORM_EPSILON, null, parts);
        }
    }

    /**
     * Runs the block on the residual stream of {@code buffers}.
     *
     * @param keysValues what {@link #projectText} made of the text
     * @param before what chunks before this one have left in this block; null for none
     * @param own out: what this one leaves, its own sums and its last frame; null for nowhere
     * @param dense whether no activation is quantised at this step
     * @param observer null for none
     */
    void forward(
            Activations buffers,
            TimeEmbedding.Values time,
            Tensor keysValues,
            ChunkState.Layer before,
            ChunkState.Layer own,
            boolean dense,
            Observer observer) {
        try (Range range = buffers.stream.context().range(name)) {
            Tensor modulation = time.ofBlock(scaleShiftTable);
            selfAttention(buffers, modulation, before, own, dense, observer);
            crossAttention(buffers, keysValues, dense, observer);
            feedForward(buffers, modulation, before, own, dense, observer);
        }
        if (observer != null) {
            observer.see(name, buffers.stream);
        }
    }

    /** The stream, normalised and modulated, in the forms that a layer takes. */
    private Input normalised(
            Activations buffers, Tensor modulation, int shiftRow, Projection next, boolean dense) {
        int scaleRow = shiftRow + 1;
        if (next.takesDense(dense)) {
            ops.layerNormModulated(
                    buffers.stream, modulation, shiftRow, scaleRow, normEpsilon, buffers.normed);
            return input(buffers.normed, next, buffers.quantizedNormed, dense);
        }
        ops.nvfp4LayerNormModulated(
                buffers.stream,
                modulation,
                shiftRow,
                scaleRow,
                normEpsilon,
                next.inputScale(),
                buffers.quantizedNormed);
        return new Input(null, buffers.quantizedNormed);
    }

    /** Rows that are there, in the forms that a layer takes. */
    private Input input(Tensor rows, Projection next, Nvfp4Matrix quantized, boolean dense) {
        if (!next.takesQuantized(dense)) {
            return new Input(rows, null);
        }
        ops.nvfp4QuantizeRows(rows, next.inputScale(), quantized);
        return new Input(rows, quantized);
    }

    private static void observe(Observer observer, Projection layer, Input input) {
        if (observer != null && input.dense() != null) {
            observer.seeInput(layer.layer(), input.dense());
        }
    }

    private void selfAttention(
            Activations buffers,
            Tensor modulation,
            ChunkState.Layer before,
            ChunkState.Layer own,
            boolean dense,
            Observer observer) {
        Input normed = normalised(buffers, modulation, ATTENTION_SHIFT, qkv, dense);
        observe(observer, qkv, normed);
        qkv.multiply(
                ops, normed, Epilogue.bias(qkvBias).squareSums(buffers.squareSums, 3), buffers.qkv);
        if (own != null) {
            // Without those before; what it returns is right where there are none.
            attend(buffers, null, own.sums());
        }
        if (own == null || before != null) {
            attend(buffers, before == null ? null : before.sums(), null);
        }
        Input attended = input(buffers.normed, attentionOut, buffers.quantizedNormed, dense);
        observe(observer, attentionOut, attended);
        Epilogue out = Epilogue.bias(attentionOutBias);
        if (observer != null) {
            try (Tensor seen = like(buffers.stream)) {
                attentionOut.multiply(ops, attended, out, seen);
                observer.see(name + ".attn1", seen);
            }
        }
        Epilogue added = out.gate(modulation, ATTENTION_GATE).residual(buffers.stream);
        attentionOut.multiply(
                ops,
                attended,
                quantizing(added, attentionOut, crossQuery, buffers.quantizedStream, dense),
                buffers.stream);
    }

    private void attend(Activations buffers, LinearState before, LinearState after) {
        ops.linearAttention(
                buffers.qkvHeads,
                buffers.squareSumsBatch,
                queryNorm,
                keyNorm,
                QK_NORM_EPSILON,
                buffers.angles,
                ATTENTION_EPSILON,
                before,
                after,
                buffers.attended);
    }

    /** The epilogue, which quantises its result where that is what the next layer takes. */
    private static Epilogue quantizing(
            Epilogue epilogue, Projection of, Projection next, Nvfp4Matrix to, boolean dense) {
        return of.quantizesOutput() && next.takesQuantized(dense)
                ? epilogue.quantized(to, next.inputScale())
                : epilogue;
    }

    /** What a layer has stored, in the forms that the next takes. */
    private Input stored(
            Tensor rows, Projection by, Projection next, Nvfp4Matrix quantized, boolean dense) {
        return by.quantizesOutput() && next.takesQuantized(dense)
                ? new Input(rows, quantized)
                : input(rows, next, quantized, dense);
    }

    private void crossAttention(
            Activations buffers, Tensor keysValues, boolean dense, Observer observer) {
        Input stream =
                stored(buffers.stream, attentionOut, crossQuery, buffers.quantizedStream, dense);
        observe(observer, crossQuery, stream);
        crossQuery.multiply(
                ops,
                stream,
                Epilogue.bias(crossQueryBias).squareSums(buffers.crossSquareSums, 1),
                buffers.crossQueries);
        ops.crossAttention(
                buffers.crossQueryHeads,
                buffers.crossSquareSums,
                crossQueryNorm,
                QK_NORM_EPSILON,
                keysValues,
                buffers.crossAttended);
        Input attended =
                input(buffers.crossAttended, crossOut, buffers.quantizedCrossAttended, dense);
        observe(observer, crossOut, attended);
        Epilogue out = Epilogue.bias(crossOutBias);
        if (observer != null) {
            try (Tensor seen = like(buffers.stream)) {
                crossOut.multiply(ops, attended, out, seen);
                observer.see(name + ".attn2", seen);
            }
        }
        crossOut.multiply(ops, attended, out.residual(buffers.stream), buffers.stream);
    }

    private void feedForward(
            Activations buffers,
            Tensor modulation,
            ChunkState.Layer before,
            ChunkState.Layer own,
            boolean dense,
            Observer observer) {
        Input normed = normalised(buffers, modulation, FEED_FORWARD_SHIFT, inverted, dense);
        for (Activations.FrameGroup group : buffers.groups) {
            mix(group, normed, dense, observer);
        }
        if (own != null) {
            own.lastFrame().copyFrom(buffers.mixedLast);
        }
        Tensor previous = before == null ? null : before.lastFrame();
        Tensor mixedRows = buffers.mixedRows;
        Input mixed = stored(mixedRows, point, temporal, buffers.quantizedStream, dense);
        observe(observer, temporal, mixed);
        if (observer != null) {
            try (Tensor seen = like(buffers.streamFrames)) {
                temporal.convolve(ops, mixed, buffers.mixed, previous, Epilogue.NONE, seen);
                observer.see(name + ".ff", seen);
            }
        }
        temporal.convolve(
                ops,
                mixed,
                buffers.mixed,
                previous,
                Epilogue.NONE.gate(modulation, FEED_FORWARD_GATE).residual(buffers.streamFrames),
                buffers.streamFrames);
    }

    /** A few frames through the feed-forward. */
    private void mix(Activations.FrameGroup group, Input normed, boolean dense, Observer observer) {
        Input in =
                new Input(
                        normed.dense() == null ? null : group.in(),
                        normed.quantized() == null ? null : group.quantizedIn());
        observe(observer, inverted, in);
        Epilogue silu = Epilogue.bias(invertedBias).activation(Activation.SILU);
        inverted.multiply(ops, in, silu, group.invertedRows());
        Input gated;
        if (point.takesDense(dense)) {
            ops.depthwiseGate(
                    group.invertedFrames(), depthwise, depthwiseBias, group.gatedFrames());
            gated = input(group.gatedRows(), point, group.quantizedGated(), dense);
        } else {
            ops.nvfp4DepthwiseGate(
                    group.invertedFrames(),
                    depthwise,
                    depthwiseBias,
                    point.inputScale(),
                    group.quantizedGated());
            gated = new Input(null, group.quantizedGated());
        }
        observe(observer, point, gated);
        point.multiply(
                ops,
                gated,
                quantizing(Epilogue.NONE, point, temporal, group.quantizedOut(), dense),
                group.out());
    }

    private static Tensor like(Tensor tensor) {
        return tensor.context().tensor(tensor.dtype(), tensor.shape());
    }

    /** Keys and values of a text of so many tokens, undefined yet. */
    long[] keysValuesShape(long tokens) {
        return new long[] {tokens, 2, crossHeads, crossWidth / crossHeads};
    }
}
