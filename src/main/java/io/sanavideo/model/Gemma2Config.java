package io.sanavideo.model;

import io.sanavideo.weights.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The text encoder's {@code config.json}, as older and newer releases of transformers write it.
 *
 * @param vocabulary number of token ids
 * @param width channels of a token
 * @param layers number of layers
 * @param heads query heads
 * @param keyHeads heads of keys and values; divides heads
 * @param headSize channels of a head; even
 * @param hidden channels of the feed-forward
 * @param normEpsilon epsilon of the RMS norms
 * @param ropeTheta base of the rotary embedding's frequencies
 * @param queryScalar logits are q.k / sqrt(queryScalar)
 * @param softCap logits are squashed to (-softCap, softCap); 0 for not at all
 * @param slidingWindow how many tokens back a sliding layer looks, itself included
 * @param sliding for each layer whether it looks back no farther than the window
 * @param maxPositions the longest text in tokens
 */
public record Gemma2Config(
        int vocabulary,
        int width,
        int layers,
        int heads,
        int keyHeads,
        int headSize,
        int hidden,
        double normEpsilon,
        double ropeTheta,
        double queryScalar,
        double softCap,
        int slidingWindow,
        List<Boolean> sliding,
        int maxPositions) {
    private static final Set<String> ARCHITECTURES = Set.of("Gemma2Model", "Gemma2ForCausalLM");
    private static final String SLIDING = "sliding_attention";
    private static final String FULL = "full_attention";

    public Gemma2Config {
        sliding = List.copyOf(sliding);
    }

    /** Whether an entry of {@code architectures} names this network. */
    public static boolean names(String architecture) {
        return ARCHITECTURES.contains(architecture);
    }

    /**
     * Reads a config.
     *
     * @throws io.sanavideo.ModelFormatException naming key, value and what is supported
     */
    public static Gemma2Config of(Json json) {
        refuseUnsupported(json);
        int layers = json.requiredInt("num_hidden_layers", 1, TensorList.MOST_LAYERS);
        int heads = json.requiredInt("num_attention_heads", 1);
        int keyHeads = json.requiredInt("num_key_value_heads", 1);
        if (heads % keyHeads != 0) {
            throw json.unexpected("num_key_value_heads", "a divisor of the " + heads + " heads");
        }
        int headSize = json.requiredInt("head_dim", 2);
        if (headSize % 2 != 0) {
            throw json.unexpected("head_dim", "an even number");
        }
        TransformerConfig.requireWidth(json, "num_attention_heads", heads, headSize);
        return new Gemma2Config(
                json.requiredInt("vocab_size", 1),
                json.requiredInt("hidden_size", 1),
                layers,
                heads,
                keyHeads,
                headSize,
                json.requiredInt("intermediate_size", 1),
                json.requiredDouble("rms_norm_eps"),
                ropeTheta(json),
                json.requiredDouble("query_pre_attn_scalar"),
                json.optionalDouble("attn_logit_softcapping", 0),
                json.requiredInt("sliding_window", 1),
                sliding(json, layers),
                json.requiredInt("max_position_embeddings", 1));
    }

    private static void refuseUnsupported(Json json) {
        if (!json.requiredText("model_type").equals("gemma2")) {
            throw json.unexpected("model_type", "gemma2");
        }
        // Older releases hold both keys, of which transformers follows hidden_activation.
        String activation = json.has("hidden_activation") ? "hidden_activation" : "hidden_act";
        if (!json.requiredText(activation).equals("gelu_pytorch_tanh")) {
            throw json.unexpected(activation, "gelu_pytorch_tanh");
        }
        for (String key : List.of("attention_bias", "use_bidirectional_attention")) {
            if (json.optionalBoolean(key, false)) {
                throw json.unexpected(key, "false");
            }
        }
        if (json.has("rope_scaling")) {
            throw json.unexpected("rope_scaling", "null");
        }
    }

    private static double ropeTheta(Json json) {
        if (!json.has("rope_parameters")) {
            return json.requiredDouble("rope_theta");
        }
        Json parameters = json.requiredObject("rope_parameters");
        if (!parameters.optionalText("rope_type", "default").equals("default")) {
            throw parameters.unexpected("rope_type", "default");
        }
        return parameters.requiredDouble("rope_theta");
    }

    private static List<Boolean> sliding(Json json, int layers) {
        if (!json.has("layer_types")) {
            return IntStream.range(0, layers).mapToObj(i -> i % 2 == 0).toList();
        }
        List<Boolean> sliding = new ArrayList<>();
        for (String type : json.requiredTexts("layer_types")) {
            if (!type.equals(SLIDING) && !type.equals(FULL)) {
                throw json.unexpected("layer_types", SLIDING + " or " + FULL + ", not " + type);
            }
            sliding.add(type.equals(SLIDING));
        }
        if (sliding.size() != layers) {
            throw json.unexpected("layer_types", "one entry for each of " + layers + " layers");
        }
        return sliding;
    }

    /** Channels of all query heads together. */
    public int queryWidth() {
        return heads * headSize;
    }

    /** Channels of all key heads together. */
    public int keyWidth() {
        return keyHeads * headSize;
    }
}
