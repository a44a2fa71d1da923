package io.sanavideo.model;

import java.util.function.Predicate;

/** The tensors of a Gemma-2 checkpoint, by the names that transformers gives them. */
final class Gemma2Tensors {
    static final String EMBEDDINGS = "embed_tokens.weight";
    static final String NORM = "norm.weight";

    private static final String CAUSAL_PREFIX = "model.";
    private static final String HEAD = "lm_head.weight";

    private Gemma2Tensors() {}

    /** What stands before all names: a language model with a head says "model.". */
    static String prefix(Predicate<String> has) {
        return has.test(CAUSAL_PREFIX + EMBEDDINGS) ? CAUSAL_PREFIX : "";
    }

    /** Those of a checkpoint, with the prefix and the unused head that it has or has not. */
    static TensorList of(Gemma2Config config, Predicate<String> has) {
        TensorList list = of(config, prefix(has));
        if (has.test(HEAD)) {
            list.add(HEAD, config.vocabulary(), config.width());
        }
        return list;
    }

    static TensorList of(Gemma2Config config, String prefix) {
        TensorList list = new TensorList();
        long width = config.width();
        list.add(prefix + EMBEDDINGS, config.vocabulary(), width);
        for (int i = 0; i < config.layers(); i++) {
            String layer = layer(prefix, i);
            list.add(layer + "input_layernorm.weight", width);
            list.add(layer + "self_attn.q_proj.weight", config.queryWidth(), width);
            list.add(layer + "self_attn.k_proj.weight", config.keyWidth(), width);
            list.add(layer + "self_attn.v_proj.weight", config.keyWidth(), width);
            list.add(layer + "self_attn.o_proj.weight", width, config.queryWidth());
            list.add(layer + "post_attention_layernorm.weight", width);
            list.add(layer + "pre_feedforward_layernorm.weight", width);
            list.add(layer + "mlp.gate_proj.weight", config.hidden(), width);
            list.add(layer + "mlp.up_proj.weight", config.hidden(), width);
            list.add(layer + "mlp.down_proj.weight", width, config.hidden());
            list.add(layer + "post_feedforward_layernorm.weight", width);
        }
        list.add(prefix + NORM, width);
        return list;
    }

    static String layer(String prefix, int index) {
        return prefix + "layers." + index + ".";
    }
}
