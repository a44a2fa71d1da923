package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Device;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;

/** What is not the same in two recipes, in words, and of what kind it is. */
final class RecipeDifferences {
    private static final String NONE = "none";
    private static final int SHOWN = 60;
    private static final int SHOWN_OF_HASH = 12;

    private static final List<String> WEIGHTS =
            List.of(Recipe.WEIGHTS, Recipe.CONFIGURATION, LoraHashes.LORAS, LoraHashes.MODE);

    private final ObjectNode before;
    private final ObjectNode now;
    private final boolean onCard;
    private final List<String> found = new ArrayList<>();

    private RecipeDifferences(ObjectNode before, ObjectNode now) {
        this.before = before;
        this.now = now;
        onCard = isOnCard(before) && isOnCard(now);
    }

    private static boolean isOnCard(ObjectNode recipe) {
        return !recipe.path(Machine.DEVICE).asText().equals(Device.cpu().toString());
    }

    /** Each begins with build, device, libraries, weights or settings, in this order. */
    static List<String> of(ObjectNode before, ObjectNode now) {
        RecipeDifferences differences = new RecipeDifferences(before, now);
        differences.compare("build", Machine.BUILD);
        differences.compare("device", Machine.OF_DEVICE);
        differences.compare("libraries", Machine.LIBRARIES);
        differences.compareKernels();
        differences.compare("weights", WEIGHTS);
        Set<String> others = new LinkedHashSet<>();
        before.fieldNames().forEachRemaining(others::add);
        now.fieldNames().forEachRemaining(others::add);
        others.removeAll(Machine.BUILD);
        others.removeAll(Machine.OF_DEVICE);
        others.removeAll(Machine.LIBRARIES);
        others.removeAll(WEIGHTS);
        // Names; what a model is, its weights say.
        others.removeAll(List.of(Recipe.FORMAT_KEY, Recipe.MODEL, Recipe.KERNELS));
        differences.compare("settings", List.copyOf(others));
        return List.copyOf(differences.found);
    }

    private void compare(String kind, List<String> keys) {
        for (String key : keys) {
            if (!onCard || !Machine.OF_CPU.contains(key)) {
                compare(kind, key, before.path(key), now.path(key));
            }
        }
    }

    private void compare(String kind, String name, JsonNode was, JsonNode is) {
        if (was.isObject() && is.isObject()) {
            parts(was, is, (key, pair) -> compare(kind, name + "." + key, pair.was, pair.is));
        } else if (name.equals(Machine.DEVICE) && onCard) {
            // Which slot a card is in does not matter.
            return;
        } else if (!was.equals(is)) {
            found.add(
                    "%s: %s is %s now, %s in the recipe"
                            .formatted(kind, name, shown(is), shown(was)));
        }
    }

    /** Kernels of libraries are many lines of a kind, and say nothing where none is used. */
    private void compareKernels() {
        JsonNode was = before.path(Recipe.KERNELS);
        JsonNode is = now.path(Recipe.KERNELS);
        compare("libraries", "libraries", was.path("libraries"), is.path("libraries"));
        int[] counts = new int[2];
        parts(
                was.path("choices"),
                is.path("choices"),
                (problem, pair) -> {
                    counts[0] += pair.was.equals(pair.is) ? 0 : 1;
                    counts[1]++;
                });
        if (counts[0] > 0) {
            found.add(
                    "libraries: %d of %d products and convolutions are done by other kernels"
                            .formatted(counts[0], counts[1]));
        }
    }

    /** What stands in two places. */
    private record Pair(JsonNode was, JsonNode is) {}

    private static void parts(JsonNode was, JsonNode is, BiConsumer<String, Pair> each) {
        Set<String> keys = new LinkedHashSet<>();
        was.fieldNames().forEachRemaining(keys::add);
        is.fieldNames().forEachRemaining(keys::add);
        keys.forEach(key -> each.accept(key, new Pair(was.path(key), is.path(key))));
    }

    private static String shown(JsonNode value) {
        if (value instanceof MissingNode) {
            return NONE;
        }
        String text = value.isTextual() ? "'" + value.textValue() + "'" : value.toString();
        if (value.isTextual() && value.textValue().matches("[0-9a-f]{64}")) {
            return value.textValue().substring(0, SHOWN_OF_HASH) + "...";
        }
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
    }
}
