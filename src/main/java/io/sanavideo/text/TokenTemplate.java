package io.sanavideo.text;

import io.sanavideo.weights.Json;
import java.util.List;
import java.util.stream.IntStream;

/** The special tokens around a text: the single-text form of {@code TemplateProcessing}. */
record TokenTemplate(int[] before, int[] after) {
    /** The template of a tokenizer file; nothing around the text when it has no post-processor. */
    static TokenTemplate of(Json file) {
        if (!file.has("post_processor")) {
            return new TokenTemplate(new int[0], new int[0]);
        }
        Json processor = file.requiredObject("post_processor");
        if (!processor.requiredText("type").equals("TemplateProcessing")) {
            throw processor.unexpected("type", "\"TemplateProcessing\", the only supported kind");
        }
        IntStream before = IntStream.empty();
        IntStream after = IntStream.empty();
        boolean textSeen = false;
        List<Json> pieces = processor.requiredObjects("single");
        for (Json piece : pieces) {
            if (piece.has("SpecialToken")) {
                String name = piece.requiredObject("SpecialToken").requiredText("id");
                IntStream ids =
                        IntStream.of(
                                processor
                                        .requiredObject("special_tokens")
                                        .requiredObject(name)
                                        .requiredInts("ids", 0));
                if (textSeen) {
                    after = IntStream.concat(after, ids);
                } else {
                    before = IntStream.concat(before, ids);
                }
                continue;
            }
            Json sequence = piece.requiredObject("Sequence");
            if (textSeen || !sequence.requiredText("id").equals("A")) {
                throw sequence.unexpected("id", "\"A\", once");
            }
            textSeen = true;
        }
        if (!textSeen) {
            throw processor.unexpected("single", "an array with the sequence A");
        }
        return new TokenTemplate(before.toArray(), after.toArray());
    }

    /** Number of special tokens. */
    int length() {
        return before.length + after.length;
    }

    /** The largest id; -1 where there is no special token. */
    int largestId() {
        return IntStream.of(around(new int[0])).max().orElse(-1);
    }

    int[] around(int[] body) {
        return IntStream.concat(
                        IntStream.concat(IntStream.of(before), IntStream.of(body)),
                        IntStream.of(after))
                .toArray();
    }
}
