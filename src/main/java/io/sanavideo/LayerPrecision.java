package io.sanavideo;

import io.sanavideo.weights.Json;
import java.util.Arrays;
import java.util.List;

/** What a layer of the transformer multiplies. */
public enum LayerPrecision {
    /** Weights and activations of the model's dtype, bf16 on cards. */
    BF16("bf16"),
    /** Weights of NVFP4, which are expanded while they are multiplied, and dense activations. */
    NVFP4_WEIGHTS("nvfp4-weights"),
    /** Weights and activations of NVFP4. */
    NVFP4("nvfp4");

    private final String label;

    LayerPrecision(String label) {
        this.label = label;
    }

    /** As it stands in a policy and on the command line. */
    public String label() {
        return label;
    }

    /** Whether weights are NVFP4. */
    public boolean packsWeights() {
        return this != BF16;
    }

    /** All of them. */
    public static List<String> labels() {
        return Arrays.stream(values()).map(LayerPrecision::label).toList();
    }

    /**
     * @throws IllegalArgumentException when no precision has this label
     */
    public static LayerPrecision parse(String label) {
        return Arrays.stream(values())
                .filter(precision -> precision.label.equals(label))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "precision is '%s', expected one of %s"
                                                .formatted(label, labels())));
    }

    /** The precision that stands under this key of a file. */
    static LayerPrecision of(Json json, String key) {
        String label = json.requiredText(key);
        if (!labels().contains(label)) {
            throw json.unexpected(key, "one of " + labels());
        }
        return parse(label);
    }
}
