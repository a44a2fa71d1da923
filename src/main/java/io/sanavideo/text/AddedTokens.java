package io.sanavideo.text;

import io.sanavideo.weights.Json;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tokens that stand for a whole string and are cut out of a text before the model sees the rest.
 */
final class AddedTokens {
    /** A stretch of text, or the token that was found in its place. */
    record Span(String text, int id) {
        private static final int TEXT = -1;

        boolean isToken() {
            return id != TEXT;
        }
    }

    /** Tokens looked for in the text as it is given, and those looked for once it is normalised. */
    record Parsed(AddedTokens raw, AddedTokens normalized) {}

    private record Entry(String content, int id) {}

    /** By first character; longest first. */
    private final Map<Character, List<Entry>> entries = new HashMap<>();

    private AddedTokens() {}

    /** The {@code added_tokens} of a tokenizer file. */
    static Parsed of(Json file, BytePairModel model, TextNormalizer normalizer) {
        Parsed parsed = new Parsed(new AddedTokens(), new AddedTokens());
        if (!file.has("added_tokens")) {
            return parsed;
        }
        Set<String> seen = new HashSet<>();
        int nextId = model.size();
        for (Json token : file.requiredObjects("added_tokens")) {
            String content = token.requiredText("content");
            if (content.isEmpty() || !seen.add(content)) {
                throw token.unexpected("content", "a string that no other added token has");
            }
            for (String flag : new String[] {"single_word", "lstrip", "rstrip"}) {
                if (token.optionalBoolean(flag, false)) {
                    throw token.unexpected(flag, "false, the only supported value");
                }
            }
            Integer known = model.id(content);
            int expected = known != null ? known : nextId++;
            if (token.requiredInt("id", 0) != expected) {
                throw token.unexpected(
                        "id",
                        "%d, which '%s' has %s"
                                .formatted(
                                        expected,
                                        content,
                                        known != null ? "in the vocabulary" : "by its turn"));
            }
            if (token.optionalBoolean("normalized", true)) {
                parsed.normalized.add(normalizer.apply(content), expected);
            } else {
                parsed.raw.add(content, expected);
            }
        }
        return parsed;
    }

    private void add(String content, int id) {
        List<Entry> sameStart =
                entries.computeIfAbsent(content.charAt(0), first -> new ArrayList<>());
        sameStart.add(new Entry(content, id));
        sameStart.sort(Comparator.comparingInt(entry -> -entry.content().length()));
    }

    /** The largest id; -1 where there is no token. */
    int largestId() {
        return entries.values().stream().flatMap(List::stream).mapToInt(Entry::id).max().orElse(-1);
    }

    /**
     * Cuts a text at the leftmost, there longest, tokens; a stretch of text between may be empty.
     */
    List<Span> cut(String text) {
        List<Span> spans = new ArrayList<>();
        int start = 0;
        int at = 0;
        while (at < text.length()) {
            Entry found = entryAt(text, at);
            if (found == null) {
                at++;
                continue;
            }
            spans.add(new Span(text.substring(start, at), Span.TEXT));
            spans.add(new Span(found.content(), found.id()));
            at += found.content().length();
            start = at;
        }
        spans.add(new Span(text.substring(start), Span.TEXT));
        return spans;
    }

    private Entry entryAt(String text, int at) {
        for (Entry entry : entries.getOrDefault(text.charAt(at), List.of())) {
            if (text.startsWith(entry.content(), at)) {
                return entry;
            }
        }
        return null;
    }
}
