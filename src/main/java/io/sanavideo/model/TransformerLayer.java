package io.sanavideo.model;

import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.runtime.WeightKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A product of a transformer block that may be quantised.
 *
 * @param parts the layers of the checkpoint whose rows make up its weight, in order
 * @param kind LINEAR or TEMPORAL
 * @param in input channels
 * @param out output channels of all parts together
 * @param perToken whether it runs once a token of the clip; else once a token of the text
 */
public record TransformerLayer(
        List<String> parts, WeightKind kind, int in, int out, boolean perToken) {
    /** Frames that a temporal convolution reads. */
    private static final int TAPS = 3;

    /** All of a transformer's, block by block, in the order in which they run. */
    public static List<TransformerLayer> of(TransformerConfig config) {
        List<TransformerLayer> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            String block = TransformerTensors.block(i);
            int width = config.width();
            int cross = config.crossWidth();
            int hidden = config.hidden();
            layers.add(
                    linear(
                            width,
                            3 * width,
                            self(block, "to_q"),
                            self(block, "to_k"),
                            self(block, "to_v")));
            layers.add(linear(width, width, self(block, "to_out.0")));
            layers.add(linear(width, cross, cross(block, "to_q")));
            layers.add(
                    new TransformerLayer(
                            List.of(cross(block, "to_k"), cross(block, "to_v")),
                            WeightKind.LINEAR,
                            width,
                            2 * cross,
                            false));
            layers.add(linear(cross, width, cross(block, "to_out.0")));
            layers.add(linear(width, 2 * hidden, block + "ff.conv_inverted"));
            layers.add(linear(hidden, width, block + "ff.conv_point"));
            layers.add(
                    new TransformerLayer(
                            List.of(block + "ff.conv_temp"),
                            WeightKind.TEMPORAL,
                            width,
                            width,
                            true));
        }
        return layers;
    }

    private static String self(String block, String projection) {
        return block + "attn1." + projection;
    }

    private static String cross(String block, String projection) {
        return block + "attn2." + projection;
    }

    private static TransformerLayer linear(int in, int out, String... parts) {
        return new TransformerLayer(Arrays.asList(parts), WeightKind.LINEAR, in, out, true);
    }

    /** The name of its first part, by which it is known. */
    public String name() {
        return parts.get(0);
    }

    /**
     * What a policy gives all its parts.
     *
     * @throws IllegalArgumentException when it gives them different ones
     */
    public LayerPrecision precision(LayerPolicy policy) {
        LayerPrecision precision = policy.of(name());
        for (String part : parts) {
            if (policy.of(part) != precision) {
                throw new IllegalArgumentException(
                        "the policy gives '%s' %s and '%s' %s, expected one precision: they are one product"
                                .formatted(
                                        name(), precision.label(), part, policy.of(part).label()));
            }
        }
        return precision;
    }

    public int taps() {
        return kind == WeightKind.TEMPORAL ? TAPS : 1;
    }

    /** Output channels of each part. */
    public int partRows() {
        return out / parts.size();
    }

    /** Elements of its weight, each of which is multiplied once a token. */
    public long elements() {
        return (long) out * in * taps();
    }
}
