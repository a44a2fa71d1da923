package io.sanavideo.model;

import io.sanavideo.weights.Json;
import java.util.Set;

/**
 * The transformer's {@code config.json}.
 *
 * @param inChannels channels of the latent that goes in
 * @param outChannels channels of the velocity that comes out
 * @param heads heads of the linear self-attention
 * @param headSize channels of one of them; even, at least 6
 * @param layers number of blocks
 * @param crossHeads heads of the attention to the text
 * @param crossHeadSize channels of one of them
 * @param captionChannels channels of the text encoder's output
 * @param hidden channels of the feed-forward after its gate
 * @param attentionBias whether the self-attention's q, k and v have biases
 * @param normEpsilon epsilon of the blocks' layer norms
 * @param patchFrames latent frames of one token
 * @param patchHeight latent rows of one token
 * @param patchWidth latent columns of one token
 * @param sampleSize which family of sizes the model was trained for: 30 is 480p, 22 is 720p
 * @param maxPositions the longest side of a token grid
 * @param guidanceEmbeds whether the guidance scale is an input of the network
 * @param guidanceScale what a pipeline multiplies the guidance by in that case
 */
public record TransformerConfig(
        int inChannels,
        int outChannels,
        int heads,
        int headSize,
        int layers,
        int crossHeads,
        int crossHeadSize,
        int captionChannels,
        int hidden,
        boolean attentionBias,
        double normEpsilon,
        int patchFrames,
        int patchHeight,
        int patchWidth,
        int sampleSize,
        int maxPositions,
        boolean guidanceEmbeds,
        double guidanceScale) {
    private static final Set<String> CLASSES =
            Set.of("SanaVideoTransformer3DModel", "SanaVideoCausalTransformer3DModel");

    /** Whether {@code _class_name} of a config names this network. */
    public static boolean names(String className) {
        return CLASSES.contains(className);
    }

    /**
     * Reads a config.
     *
     * @throws io.sanavideo.ModelFormatException naming key, value and what is supported
     */
    public static TransformerConfig of(Json json) {
        if (!names(json.requiredText("_class_name"))) {
            throw json.unexpected("_class_name", "one of " + CLASSES);
        }
        refuseUnsupported(json);
        int inChannels = json.requiredInt("in_channels", 1);
        int heads = json.requiredInt("num_attention_heads", 1);
        int headSize = json.requiredInt("attention_head_dim", 6);
        if (headSize % 2 != 0) {
            throw json.unexpected("attention_head_dim", "an even number");
        }
        int crossHeads = json.requiredInt("num_cross_attention_heads", 1);
        int crossHeadSize = json.requiredInt("cross_attention_head_dim", 1);
        requireWidth(json, "num_attention_heads", heads, headSize);
        requireWidth(json, "num_cross_attention_heads", crossHeads, crossHeadSize);
        int width = heads * headSize;
        if (json.requiredInt("cross_attention_dim", 1) != width) {
            throw json.unexpected(
                    "cross_attention_dim", "num_attention_heads * attention_head_dim = " + width);
        }
        int[] patch = json.requiredInts("patch_size", 1);
        if (patch.length != 3) {
            throw json.unexpected("patch_size", "three sizes: frames, rows, columns");
        }
        return new TransformerConfig(
                inChannels,
                json.optionalInt("out_channels", 1, inChannels),
                heads,
                headSize,
                json.requiredInt("num_layers", 1, TensorList.MOST_LAYERS),
                crossHeads,
                crossHeadSize,
                json.requiredInt("caption_channels", 1),
                hidden(json, width),
                json.requiredBoolean("attention_bias"),
                json.requiredDouble("norm_eps"),
                patch[0],
                patch[1],
                patch[2],
                json.requiredInt("sample_size", 1),
                json.requiredInt("rope_max_seq_len", 1),
                json.optionalBoolean("guidance_embeds", false),
                json.optionalDouble("guidance_embeds_scale", 0.1));
    }

    private static void refuseUnsupported(Json json) {
        if (!json.requiredText("qk_norm").equals("rms_norm_across_heads")) {
            throw json.unexpected("qk_norm", "rms_norm_across_heads");
        }
        if (json.requiredBoolean("norm_elementwise_affine")) {
            throw json.unexpected("norm_elementwise_affine", "false");
        }
        if (json.has("interpolation_scale")) {
            throw json.unexpected("interpolation_scale", "null");
        }
    }

    /** Refuses a number of heads whose channels together are beyond an int. */
    static void requireWidth(Json json, String key, int heads, int headSize) {
        if ((long) heads * headSize > Integer.MAX_VALUE) {
            throw json.unexpected(
                    key,
                    "at most %d heads of %d".formatted(Integer.MAX_VALUE / headSize, headSize));
        }
    }

    private static int hidden(Json json, int width) {
        double hidden = json.requiredDouble("mlp_ratio") * width;
        if (hidden < 1 || hidden > Integer.MAX_VALUE / 2) {
            throw json.unexpected("mlp_ratio", "a positive ratio of a width of " + width);
        }
        return (int) hidden;
    }

    /** Channels of a token: heads * headSize. */
    public int width() {
        return heads * headSize;
    }

    /** Channels of the attention to the text: crossHeads * crossHeadSize. */
    public int crossWidth() {
        return crossHeads * crossHeadSize;
    }

    /** Latent positions of one token. */
    public int patchVolume() {
        return patchFrames * patchHeight * patchWidth;
    }
}
