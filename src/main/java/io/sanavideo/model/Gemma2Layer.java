package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;

/**
 * One layer of Gemma-2: h += rms(attention(rms(h))), h += rms(down(gelu(gate(u)) * up(u))) with u =
 * rms(h).
 */
final class Gemma2Layer {
    /** Gemma's norms multiply by one plus their weight. */
    static final float NORM_OFFSET = 1;

    private final Gemma2Config config;
    private final Ops ops;
    private final float epsilon;
    private final int window;
    private final Tensor attentionNorm;
    private final Weight qkv;
    private final Weight attentionOut;
    private final Tensor attentionOutNorm;
    private final Tensor feedForwardNorm;
    private final Weight gateUp;
    private final Weight down;
    private final Tensor feedForwardOutNorm;

    Gemma2Layer(NamedWeights weights, Gemma2Config config, String layer, int index) {
        this.config = config;
        ops = weights.context().ops();
        epsilon = (float) config.normEpsilon();
        window = config.sliding().get(index) ? config.slidingWindow() : 0;
        attentionNorm = weights.vector(layer + "input_layernorm.weight");
        String attention = layer + "self_attn.";
        qkv =
                weights.weight(
                        WeightKind.LINEAR,
                        attention + "q_proj.weight",
                        attention + "k_proj.weight",
                        attention + "v_proj.weight");
        attentionOut = weights.weight(WeightKind.LINEAR, attention + "o_proj.weight");
        attentionOutNorm = weights.vector(layer + "post_attention_layernorm.weight");
        feedForwardNorm = weights.vector(layer + "pre_feedforward_layernorm.weight");
        String feedForward = layer + "mlp.";
        gateUp =
                weights.weight(
                        WeightKind.LINEAR,
                        feedForward + "gate_proj.weight",
                        feedForward + "up_proj.weight");
        down = weights.weight(WeightKind.LINEAR, feedForward + "down_proj.weight");
        feedForwardOutNorm = weights.vector(layer + "post_feedforward_layernorm.weight");
    }

    /** What a text of one length needs on its way through the layers. */
    static final class Buffers implements AutoCloseable {
        private final Scope scope;
        private final Tensor normed;
        private final Tensor qkv;
        private final Tensor attended;
        private final Tensor gateUp;
        private final Tensor gateUpParts;
        private final Tensor gated;

        Buffers(Context context, Gemma2Config config, DType compute, long tokens) {
            scope = new Scope(context);
            try {
                long hidden = config.hidden();
                normed = scope.tensor(compute, tokens, config.width());
                qkv = scope.tensor(compute, tokens, config.queryWidth() + 2L * config.keyWidth());
                attended = scope.tensor(compute, tokens, config.queryWidth());
                gateUp = scope.tensor(compute, tokens, 2 * hidden);
                gateUpParts = gateUp.reshape(tokens, 2, hidden);
                gated = scope.tensor(compute, tokens, hidden);
            } catch (Throwable e) {
                scope.close();
                throw e;
            }
        }

        @Override
        public void close() {
            scope.close();
        }
    }

    /** Runs the layer on hidden states [tokens, width], in place. */
    void forward(Tensor states, Buffers buffers) {
        ops.rmsNorm(states, 0, attentionNorm, NORM_OFFSET, epsilon, null, buffers.normed);
        ops.linear(buffers.normed, qkv, Epilogue.NONE, buffers.qkv);
        ops.textAttention(
                buffers.qkv,
                config.heads(),
                config.keyHeads(),
                config.ropeTheta(),
                (float) (1 / Math.sqrt(config.queryScalar())),
                (float) config.softCap(),
                window,
                buffers.attended);
        ops.linear(buffers.attended, attentionOut, Epilogue.NONE, buffers.normed);
        ops.rmsNorm(buffers.normed, 0, attentionOutNorm, NORM_OFFSET, epsilon, states, states);
        ops.rmsNorm(states, 0, feedForwardNorm, NORM_OFFSET, epsilon, null, buffers.normed);
        ops.linear(buffers.normed, gateUp, Epilogue.NONE, buffers.gateUp);
        ops.geglu(buffers.gateUpParts, buffers.gated);
        ops.linear(buffers.gated, down, Epilogue.NONE, buffers.normed);
        ops.rmsNorm(buffers.normed, 0, feedForwardOutNorm, NORM_OFFSET, epsilon, states, states);
    }
}
