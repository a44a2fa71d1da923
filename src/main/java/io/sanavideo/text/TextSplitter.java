package io.sanavideo.text;

import io.sanavideo.weights.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The pre-tokenizer of a tokenizer file: cuts text at the matches of a plain string. Byte pairs are
 * merged within the resulting pieces only.
 */
final class TextSplitter {
    /** Where a match goes, by the names of the file. */
    private enum Behavior {
        Removed,
        Isolated,
        MergedWithPrevious,
        MergedWithNext,
        Contiguous
    }

    /** A run of text, and whether it counts as a match of the pattern. */
    private record Run(int start, int end, boolean match) {}

    private final String pattern;
    private final Behavior behavior;
    private final boolean invert;

    private TextSplitter(String pattern, Behavior behavior, boolean invert) {
        this.pattern = pattern;
        this.behavior = behavior;
        this.invert = invert;
    }

    /** The splitter of a tokenizer file; none leaves text in one piece. */
    static TextSplitter of(Json file) {
        if (!file.has("pre_tokenizer")) {
            return new TextSplitter(null, Behavior.Isolated, false);
        }
        Json splitter = file.requiredObject("pre_tokenizer");
        if (!splitter.requiredText("type").equals("Split")) {
            throw splitter.unexpected("type", "\"Split\", the only supported kind");
        }
        Behavior behavior;
        try {
            behavior = Behavior.valueOf(splitter.requiredText("behavior"));
        } catch (IllegalArgumentException e) {
            throw splitter.unexpected("behavior", "one of " + List.of(Behavior.values()));
        }
        return new TextSplitter(
                TextNormalizer.plainPattern(splitter),
                behavior,
                splitter.optionalBoolean("invert", false));
    }

    /** The pieces of a text in order, none of them empty. */
    List<String> split(String text) {
        if (pattern == null) {
            return text.isEmpty() ? List.of() : List.of(text);
        }
        return arrange(runs(text)).stream()
                .map(run -> text.substring(run.start(), run.end()))
                .toList();
    }

    private List<Run> runs(String text) {
        List<Run> runs = new ArrayList<>();
        int end = 0;
        int match;
        while ((match = text.indexOf(pattern, end)) >= 0) {
            if (match > end) {
                runs.add(new Run(end, match, invert));
            }
            end = match + pattern.length();
            runs.add(new Run(match, end, !invert));
        }
        if (end < text.length()) {
            runs.add(new Run(end, text.length(), invert));
        }
        return runs;
    }

    private List<Run> arrange(List<Run> runs) {
        switch (behavior) {
            case Isolated -> {}
            case Removed -> runs.removeIf(Run::match);
            case MergedWithNext -> {
                Collections.reverse(runs);
                List<Run> merged = merge(runs);
                Collections.reverse(merged);
                return merged;
            }
            case MergedWithPrevious, Contiguous -> {
                return merge(runs);
            }
        }
        return runs;
    }

    /**
     * Joins runs with the one before: equal ones when contiguous, else the first match of a row.
     */
    private List<Run> merge(List<Run> runs) {
        List<Run> merged = new ArrayList<>();
        boolean previous = false;
        for (Run run : runs) {
            boolean join =
                    behavior == Behavior.Contiguous
                            ? run.match() == previous
                            : run.match() && !previous;
            if (join && !merged.isEmpty()) {
                Run last = merged.remove(merged.size() - 1);
                merged.add(
                        new Run(
                                Math.min(last.start(), run.start()),
                                Math.max(last.end(), run.end()),
                                last.match()));
            } else {
                merged.add(run);
            }
            previous = run.match();
        }
        return merged;
    }
}
