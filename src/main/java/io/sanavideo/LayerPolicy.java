package io.sanavideo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Which layers of a transformer run in what, and at which steps activations stay dense whatever the
 * layer's precision. The first rule that matches a layer's name decides; a layer that none matches
 * is {@link LayerPrecision#BF16}.
 *
 * <p>As JSON: {@code {"layers": [{"match": "transformer_blocks.*.attn2.to_k", "precision": "bf16"},
 * {"match": "transformer_blocks.*", "precision": "nvfp4"}], "dense_steps": {"first": 1, "last":
 * 1}}}, where a * stands for any text.
 *
 * @param rules in their order; null for those of the model
 * @param most what the model's rules are lowered to; null to leave them; given only without rules
 * @param firstDense steps at the beginning of a run whose activations are dense
 * @param lastDense steps at its end
 */
public record LayerPolicy(List<Rule> rules, LayerPrecision most, int firstDense, int lastDense) {
    /**
     * @param match the names that it is about
     * @param precision of those layers
     */
    public record Rule(String match, LayerPrecision precision) {
        private boolean matches(String layer) {
            String regex =
                    List.of(match.split("\\*", -1)).stream()
                            .map(Pattern::quote)
                            .reduce((left, right) -> left + ".*" + right)
                            .orElseThrow();
            return layer.matches(regex);
        }
    }

    /** As the model's folder says: all dense where it holds dense weights. */
    public static final LayerPolicy OF_MODEL = new LayerPolicy(null, null, 0, 0);

    /**
     * What is quantised where nobody says otherwise: every product of the blocks but the keys and
     * values of the text, which are computed once a run from a few hundred tokens. The patch
     * embedding, the timestep's, the caption's and the output's projections are no layers of blocks
     * and stay dense always, as do depthwise convolutions and gates. NVIDIA's policy for a model of
     * this family (arXiv 2605.30409) keeps V, the attention's output and the first blocks'
     * feed-forward in FP8, which this project does not have.
     */
    public static final LayerPolicy STANDARD =
            new LayerPolicy(
                    List.of(
                            new Rule("transformer_blocks.*.attn2.to_k", LayerPrecision.BF16),
                            new Rule("transformer_blocks.*.attn2.to_v", LayerPrecision.BF16),
                            new Rule("transformer_blocks.*", LayerPrecision.NVFP4)),
                    null,
                    0,
                    0);

    public LayerPolicy {
        if (firstDense < 0 || lastDense < 0) {
            throw new IllegalArgumentException(
                    "%d first and %d last steps are dense, expected 0 or more"
                            .formatted(firstDense, lastDense));
        }
        rules = rules == null ? null : List.copyOf(rules);
    }

    /** The model's rules, lowered: what is nvfp4 there runs as nvfp4-weights, say. */
    public static LayerPolicy atMost(LayerPrecision precision) {
        return new LayerPolicy(null, precision, 0, 0);
    }

    /**
     * Reads a policy.
     *
     * @throws ModelFormatException when the file is missing or broken
     */
    public static LayerPolicy read(Path file) {
        return of(Json.read(file));
    }

    /**
     * As {@link #json} wrote it.
     *
     * @throws ModelFormatException when it is broken
     */
    public static LayerPolicy of(Json json) {
        List<Rule> rules = new ArrayList<>();
        for (Json rule : json.requiredObjects("layers")) {
            rules.add(new Rule(rule.requiredText("match"), LayerPrecision.of(rule, "precision")));
        }
        if (!json.has("dense_steps")) {
            return new LayerPolicy(rules, null, 0, 0);
        }
        Json steps = json.requiredObject("dense_steps");
        return new LayerPolicy(
                rules, null, steps.optionalInt("first", 0, 0), steps.optionalInt("last", 0, 0));
    }

    /** As {@link #read} reads it. */
    public ObjectNode json() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        ArrayNode layers = json.putArray("layers");
        for (Rule rule : rules) {
            layers.addObject().put("match", rule.match).put("precision", rule.precision.label());
        }
        json.putObject("dense_steps").put("first", firstDense).put("last", lastDense);
        return json;
    }

    /**
     * This policy for a model whose own is another.
     *
     * @param stored null for a model that has none
     * @throws IllegalArgumentException when this is {@link #atMost} some form of NVFP4 and the
     *     model has none
     */
    public LayerPolicy over(LayerPolicy stored) {
        if (rules != null) {
            return this;
        }
        if (stored == null && most != null && most.packsWeights()) {
            throw new IllegalArgumentException(
                    "the precision is %s, but the model is not quantised: sana-video quantize makes one that is"
                            .formatted(most.label()));
        }
        if (stored == null) {
            return new LayerPolicy(List.of(), null, 0, 0);
        }
        if (most == null) {
            return stored;
        }
        List<Rule> lowered =
                stored.rules.stream()
                        .map(rule -> new Rule(rule.match, lower(rule.precision, most)))
                        .toList();
        return new LayerPolicy(lowered, null, stored.firstDense, stored.lastDense);
    }

    private static LayerPrecision lower(LayerPrecision own, LayerPrecision most) {
        return own.compareTo(most) < 0 ? own : most;
    }

    /** The precision of a layer. */
    public LayerPrecision of(String layer) {
        return rules.stream()
                .filter(rule -> rule.matches(layer))
                .map(Rule::precision)
                .findFirst()
                .orElse(LayerPrecision.BF16);
    }

    /** Whether activations are dense at a step, counted from 0. */
    public boolean isDense(int step, int steps) {
        return step < firstDense || step >= steps - lastDense;
    }
}
