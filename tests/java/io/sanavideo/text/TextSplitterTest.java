package io.sanavideo.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.weights.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextSplitterTest {
    /** Pieces of {@code __a_bc__} cut at {@code _}, as tokenizers 0.23.2 gives them. */
    @ParameterizedTest
    @CsvSource({
        "Removed, false, 'a bc'",
        "Removed, true, '_ _ _ _ _'",
        "Isolated, false, '_ _ a _ bc _ _'",
        "Isolated, true, '_ _ a _ bc _ _'",
        "MergedWithPrevious, false, '_ _ a_ bc_ _'",
        "MergedWithPrevious, true, '_ _a _bc _ _'",
        "MergedWithNext, false, '_ _a _bc _ _'",
        "MergedWithNext, true, '_ _ a_ bc_ _'",
        "Contiguous, false, '__ a _ bc __'",
        "Contiguous, true, '__ a _ bc __'"
    })
    void cutsAsTheReference(String behavior, boolean invert, String pieces) {
        TextSplitter splitter =
                splitter(
                        "{'pre_tokenizer': {'type': 'Split', 'pattern': {'String': '_'}, 'behavior': '%s', 'invert': %s}}"
                                .formatted(behavior, invert));
        assertThat(splitter.split("__a_bc__")).containsExactly(pieces.split(" "));
        assertThat(splitter.split("")).isEmpty();
    }

    @Test
    void withoutAPreTokenizerTextIsOnePiece() {
        TextSplitter splitter = splitter("{'pre_tokenizer': null}");
        assertThat(splitter.split("_a _b")).containsExactly("_a _b");
        assertThat(splitter.split("")).isEmpty();
    }

    private static TextSplitter splitter(String json) {
        return TextSplitter.of(Json.parse("tokenizer.json", json.replace('\'', '"')));
    }
}
