package io.sanavideo.model;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;

/**
 * One block of SANA-Video (diffusers, SanaVideoTransformerBlock): linear self-attention, attention
 * to the text, and a gated convolutional feed-forward, each added to the residual stream.
 */
final class TransformerBlock {
    /** Epsilon of the RMS norms of queries and keys, which no config names. */
    private static final float QK_NORM_EPSILON = 1e-5f;

    /** Keeps a head whose queries are all zero from dividing by zero. */
    private static final float ATTENTION_EPSILON = 1e-15f;

    // Rows of the modulation.
    private static final int ATTENTION_SHIFT = 0;
    private static final int ATTENTION_SCALE = 1;
    private static final int ATTENTION_GATE = 2;
    private static final int FEED_FORWARD_SHIFT = 3;
    private static final int FEED_FORWARD_SCALE = 4;
    private static final int FEED_FORWARD_GATE = 5;

    private final String name;
    private final float normEpsilon;
    private final int crossWidth;
    private final int crossHeads;
    private final Ops ops;
    private final Tensor scaleShiftTable;
    private final Weight qkv;
    private final Tensor qkvBias;
    private final Tensor queryNorm;
    private final Tensor keyNorm;
    private final Weight attentionOut;
    private final Tensor attentionOutBias;
    private final Weight crossQuery;
    private final Tensor crossQueryBias;
    private final Weight crossKeyValue;
    private final Tensor crossKeyValueBias;
    private final Tensor crossQueryNorm;
    private final Tensor crossKeyNorm;
    private final Weight crossOut;
    private final Tensor crossOutBias;
    private final Weight inverted;
    private final Tensor invertedBias;
    private final Weight depthwise;
    private final Tensor depthwiseBias;
    private final Weight point;
    private final Weight temporal;

    TransformerBlock(NamedWeights weights, TransformerConfig config, int index) {
        name = "block" + index;
        normEpsilon = (float) config.normEpsilon();
        crossWidth = config.crossWidth();
        crossHeads = config.crossHeads();
        ops = weights.context().ops();
        String block = TransformerTensors.block(index);
        scaleShiftTable = weights.vector(block + "scale_shift_table");
        String self = block + "attn1.";
        qkv =
                weights.weight(
                        WeightKind.LINEAR,
                        self + "to_q.weight",
                        self + "to_k.weight",
                        self + "to_v.weight");
        qkvBias =
                config.attentionBias()
                        ? weights.vector(self + "to_q.bias", self + "to_k.bias", self + "to_v.bias")
                        : null;
        queryNorm = weights.vector(self + "norm_q.weight");
        keyNorm = weights.vector(self + "norm_k.weight");
        attentionOut = weights.weight(WeightKind.LINEAR, self + "to_out.0.weight");
        attentionOutBias = weights.vector(self + "to_out.0.bias");
        String cross = block + "attn2.";
        crossQuery = weights.weight(WeightKind.LINEAR, cross + "to_q.weight");
        crossQueryBias = weights.vector(cross + "to_q.bias");
        crossKeyValue =
                weights.weight(WeightKind.LINEAR, cross + "to_k.weight", cross + "to_v.weight");
        crossKeyValueBias = weights.vector(cross + "to_k.bias", cross + "to_v.bias");
        crossQueryNorm = weights.vector(cross + "norm_q.weight");
        crossKeyNorm = weights.vector(cross + "norm_k.weight");
        crossOut = weights.weight(WeightKind.LINEAR, cross + "to_out.0.weight");
        crossOutBias = weights.vector(cross + "to_out.0.bias");
        String feedForward = block + "ff.";
        inverted = weights.weight(WeightKind.LINEAR, feedForward + "conv_inverted.weight");
        invertedBias = weights.vector(feedForward + "conv_inverted.bias");
        depthwise = weights.weight(WeightKind.DEPTHWISE, feedForward + "conv_depth.weight");
        depthwiseBias = weights.vector(feedForward + "conv_depth.bias");
        point = weights.weight(WeightKind.LINEAR, feedForward + "conv_point.weight");
        temporal = weights.weight(WeightKind.TEMPORAL, feedForward + "conv_temp.weight");
    }

    /**
     * Keys (normalised) and values of the text, which are the same at every step.
     *
     * @param caption [tokens, width], projected and normalised
     * @param keysValues out: [tokens, 2, crossHeads, crossHeadSize]
     */
    void projectText(Tensor caption, Tensor keysValues) {
        long tokens = caption.size(0);
        try (Tensor rows = keysValues.reshape(tokens, 2L * crossWidth);
                Tensor parts = keysValues.reshape(tokens, 2, crossWidth)) {
            ops.linear(caption, crossKeyValue, Epilogue.bias(crossKeyValueBias), rows);
            ops.rmsNorm(parts, 0, crossKeyNorm, 0, QK_NORM_EPSILON, null, parts);
        }
    }

    /**
     * Runs the block on the residual stream of {@code buffers}.
     *
     * @param keysValues what {@link #projectText} made of the text
     * @param observer null for none
     */
    void forward(
            Activations buffers, TimeEmbedding.Values time, Tensor keysValues, Observer observer) {
        try (Range range = buffers.stream.context().range(name)) {
            Tensor modulation = time.ofBlock(scaleShiftTable);
            selfAttention(buffers, modulation, observer);
            crossAttention(buffers, keysValues, observer);
            feedForward(buffers, modulation, observer);
        }
        if (observer != null) {
            observer.see(name, buffers.stream);
        }
    }

    private void selfAttention(Activations buffers, Tensor modulation, Observer observer) {
        ops.layerNormModulated(
                buffers.stream,
                modulation,
                ATTENTION_SHIFT,
                ATTENTION_SCALE,
                normEpsilon,
                buffers.normed);
        ops.linear(
                buffers.normed,
                qkv,
                Epilogue.bias(qkvBias).squareSums(buffers.squareSums, 3),
                buffers.qkv);
        ops.linearAttention(
                buffers.qkvHeads,
                buffers.squareSumsBatch,
                queryNorm,
                keyNorm,
                QK_NORM_EPSILON,
                buffers.angles,
                ATTENTION_EPSILON,
                null,
                null,
                buffers.attended);
        Epilogue out = Epilogue.bias(attentionOutBias);
        if (observer != null) {
            try (Tensor seen = like(buffers.stream)) {
                ops.linear(buffers.normed, attentionOut, out, seen);
                observer.see(name + ".attn1", seen);
            }
        }
        ops.linear(
                buffers.normed,
                attentionOut,
                out.gate(modulation, ATTENTION_GATE).residual(buffers.stream),
                buffers.stream);
    }

    private void crossAttention(Activations buffers, Tensor keysValues, Observer observer) {
        ops.linear(
                buffers.stream,
                crossQuery,
                Epilogue.bias(crossQueryBias).squareSums(buffers.crossSquareSums, 1),
                buffers.crossQueries);
        ops.crossAttention(
                buffers.crossQueryHeads,
                buffers.crossSquareSums,
                crossQueryNorm,
                QK_NORM_EPSILON,
                keysValues,
                buffers.crossAttended);
        Epilogue out = Epilogue.bias(crossOutBias);
        if (observer != null) {
            try (Tensor seen = like(buffers.stream)) {
                ops.linear(buffers.crossAttended, crossOut, out, seen);
                observer.see(name + ".attn2", seen);
            }
        }
        ops.linear(buffers.crossAttended, crossOut, out.residual(buffers.stream), buffers.stream);
    }

    private void feedForward(Activations buffers, Tensor modulation, Observer observer) {
        ops.layerNormModulated(
                buffers.stream,
                modulation,
                FEED_FORWARD_SHIFT,
                FEED_FORWARD_SCALE,
                normEpsilon,
                buffers.normed);
        Epilogue silu = Epilogue.bias(invertedBias).activation(Activation.SILU);
        for (Activations.FrameGroup group : buffers.groups) {
            ops.linear(group.in(), inverted, silu, group.invertedRows());
            ops.depthwiseGate(
                    group.invertedFrames(), depthwise, depthwiseBias, group.gatedFrames());
            ops.linear(group.gatedRows(), point, Epilogue.NONE, group.out());
        }
        if (observer != null) {
            try (Tensor seen = like(buffers.streamFrames)) {
                ops.temporalConvolution(buffers.mixed, null, temporal, Epilogue.NONE, seen);
                observer.see(name + ".ff", seen);
            }
        }
        ops.temporalConvolution(
                buffers.mixed,
                null,
                temporal,
                Epilogue.NONE.gate(modulation, FEED_FORWARD_GATE).residual(buffers.streamFrames),
                buffers.streamFrames);
    }

    private static Tensor like(Tensor tensor) {
        return tensor.context().tensor(tensor.dtype(), tensor.shape());
    }

    /** Keys and values of a text of so many tokens, undefined yet. */
    long[] keysValuesShape(long tokens) {
        return new long[] {tokens, 2, crossHeads, crossWidth / crossHeads};
    }
}
