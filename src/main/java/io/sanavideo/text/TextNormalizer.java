package io.sanavideo.text;

import io.sanavideo.weights.Json;
import java.util.ArrayList;
import java.util.List;

/** The normaliser of a tokenizer file: replacements of one plain string by another, in order. */
record TextNormalizer(List<Replacement> replacements) {
    /** One {@code Replace} normaliser. */
    record Replacement(String pattern, String content) {}

    /** The normaliser of a tokenizer file; none leaves text as it is. */
    static TextNormalizer of(Json file) {
        List<Replacement> replacements = new ArrayList<>();
        if (file.has("normalizer")) {
            collect(file.requiredObject("normalizer"), replacements);
        }
        return new TextNormalizer(List.copyOf(replacements));
    }

    private static void collect(Json normalizer, List<Replacement> into) {
        switch (normalizer.requiredText("type")) {
            case "Replace" ->
                    into.add(
                            new Replacement(
                                    plainPattern(normalizer), normalizer.requiredText("content")));
            case "Sequence" ->
                    normalizer.requiredObjects("normalizers").forEach(part -> collect(part, into));
            default -> throw normalizer.unexpected("type", "\"Replace\" or \"Sequence\"");
        }
    }

    /** The plain string of {@code "pattern": {"String": ...}}; regular expressions are not read. */
    static String plainPattern(Json part) {
        Json pattern = part.requiredObject("pattern");
        String text = pattern.requiredText("String");
        if (text.isEmpty()) {
            throw pattern.unexpected("String", "at least one character");
        }
        return text;
    }

    String apply(String text) {
        String normalized = text;
        for (Replacement replacement : replacements) {
            normalized = normalized.replace(replacement.pattern(), replacement.content());
        }
        return normalized;
    }
}
