package io.sanavideo.weights;

import io.sanavideo.ModelFormatException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.BiFunction;
import java.util.regex.Pattern;

/**
 * Ranks and alphas that stand in a LoRA's header, as PEFT's LoraConfig names them: {@code r},
 * {@code lora_alpha}, {@code rank_pattern}, {@code alpha_pattern} and {@code use_rslora}. diffusers
 * puts {@code transformer.} before each key. Where nothing is said alpha is the rank.
 *
 * @param rank of layers that no pattern names
 * @param alpha likewise
 * @param ranks by a layer's name or the end of it
 * @param alphas likewise
 * @param byRoot whether a layer is scaled by alpha / sqrt(rank) instead of alpha / rank
 */
record LoraScales(
        OptionalInt rank,
        OptionalDouble alpha,
        Map<String, Integer> ranks,
        Map<String, Double> alphas,
        boolean byRoot) {
    /** The entry of the header. */
    static final String METADATA = "lora_adapter_metadata";

    private static final String PREFIX = "transformer.";
    private static final Pattern NAME = Pattern.compile("\\^?[\\w.]+");

    /**
     * @throws ModelFormatException when the header says what cannot be honoured
     */
    static LoraScales of(SafetensorsFile file) {
        String text = file.metadata().get(METADATA);
        if (text == null) {
            return new LoraScales(
                    OptionalInt.empty(), OptionalDouble.empty(), Map.of(), Map.of(), false);
        }
        Json json = Json.parse(file.path() + ": " + METADATA, text);
        boolean prefixed = json.keys().stream().anyMatch(key -> key.startsWith(PREFIX));
        return of(json, prefixed ? PREFIX : "");
    }

    private static LoraScales of(Json json, String prefix) {
        if (!json.optionalText(prefix + "peft_type", "LORA").equals("LORA")) {
            throw json.unexpected(prefix + "peft_type", "LORA");
        }
        for (String key : new String[] {"use_dora", "fan_in_fan_out"}) {
            if (json.optionalBoolean(prefix + key, false)) {
                throw json.unexpected(prefix + key, "false");
            }
        }
        boolean byRoot = json.optionalBoolean(prefix + "use_rslora", false);
        String rank = prefix + "r";
        String alpha = prefix + "lora_alpha";
        return new LoraScales(
                json.has(rank) ? OptionalInt.of(json.requiredInt(rank, 1)) : OptionalInt.empty(),
                json.has(alpha) || byRoot
                        ? OptionalDouble.of(requiredPositive(json, alpha))
                        : OptionalDouble.empty(),
                pattern(json, prefix + "rank_pattern", (object, key) -> object.requiredInt(key, 1)),
                pattern(json, prefix + "alpha_pattern", LoraScales::requiredPositive),
                byRoot);
    }

    private static double requiredPositive(Json json, String key) {
        double value = json.requiredDouble(key);
        if (value <= 0) {
            throw json.unexpected(key, "a number above 0");
        }
        return value;
    }

    private static <T> Map<String, T> pattern(
            Json json, String key, BiFunction<Json, String, T> value) {
        if (!json.has(key)) {
            return Map.of();
        }
        Json entries = json.requiredObject(key);
        Map<String, T> pattern = new LinkedHashMap<>();
        for (String entry : entries.keys()) {
            String name = entry.replace("\\.", ".");
            if (!NAME.matcher(name).matches()) {
                throw entries.unexpected(
                        entry, "no regular expression, but the name of a layer or the end of one");
            }
            pattern.put(name, value.apply(entries, entry));
        }
        return pattern;
    }

    /** The value of the first entry that is the layer's name, or the end of it behind a dot. */
    private static <T> T of(Map<String, T> pattern, String layer) {
        for (Map.Entry<String, T> entry : pattern.entrySet()) {
            String name = entry.getKey();
            if (name.equals("^" + layer) || ("." + layer).endsWith("." + name)) {
                return entry.getValue();
            }
        }
        return null;
    }

    /** The rank that a layer must have; empty where nothing is said. */
    OptionalInt rank(String layer) {
        Integer own = of(ranks, layer);
        return own == null ? rank : OptionalInt.of(own);
    }

    double alpha(String layer, int itsRank) {
        Double own = of(alphas, layer);
        return own == null ? alpha.orElse(itsRank) : own;
    }

    /** What B A is multiplied by, beside the scale that a user gives. */
    double factor(String layer, int itsRank) {
        return alpha(layer, itsRank) / (byRoot ? Math.sqrt(itsRank) : itsRank);
    }
}
