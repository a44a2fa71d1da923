package io.sanavideo.text;

import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Text to token ids, as the Hugging Face tokenizers library computes them from the same {@code
 * tokenizer.json}: added tokens are cut out, the rest is normalised, split and broken into
 * byte-pair tokens, and the template puts its special tokens around them.
 *
 * <p>Read are the parts that the Gemma family and its like use: byte-pair models with byte
 * fallback, {@code Replace} normalisers, {@code Split} pre-tokenizers on a plain string, template
 * processing. A file with any other part is refused by the part's name. Padding and truncation
 * settings of the file are not applied, as {@code tokenizer(text)} of transformers does not apply
 * them either.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class Tokenizer {
    private static final String FILE = "tokenizer.json";

    private final AddedTokens rawTokens;
    private final TextNormalizer normalizer;
    private final AddedTokens normalizedTokens;
    private final TextSplitter splitter;
    private final BytePairModel model;
    private final TokenTemplate template;

    private Tokenizer(Json file) {
        model = new BytePairModel(file.requiredObject("model"));
        normalizer = TextNormalizer.of(file);
        splitter = TextSplitter.of(file);
        template = TokenTemplate.of(file);
        AddedTokens.Parsed added = AddedTokens.of(file, model, normalizer);
        rawTokens = added.raw();
        normalizedTokens = added.normalized();
    }

    /**
     * Reads a tokenizer.
     *
     * @param path a {@code tokenizer.json}, or a folder that holds one; of any file system
     * @throws ModelFormatException when it is missing, broken, or uses a part that is not read here
     */
    public static Tokenizer open(Path path) {
        Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
        if (!Files.exists(file)) {
            throw new ModelFormatException(
                    "%s: does not exist; a tokenizer is read from a %s, not from SentencePiece"
                            .formatted(file, FILE));
        }
        return new Tokenizer(Json.read(file));
    }

    /**
     * The token ids of a text, with the special tokens of the template; no truncation, no padding.
     *
     * @throws IllegalArgumentException when the text holds an unpaired surrogate, which has no
     *     UTF-8 form
     */
    public int[] encode(String text) {
        return template.around(body(text));
    }

    /**
     * As {@link #encode(String)}, but at most {@code maxLength} ids: the last tokens of the text
     * are dropped, never the special ones of the template.
     *
     * @throws IllegalArgumentException also when the template alone is longer than {@code
     *     maxLength}
     */
    public int[] encode(String text, int maxLength) {
        int room = maxLength - template.length();
        if (room < 0) {
            throw new IllegalArgumentException(
                    "at most %d tokens were asked for, expected %d or more for the template's own"
                            .formatted(maxLength, template.length()));
        }
        int[] body = body(text);
        return template.around(body.length <= room ? body : Arrays.copyOf(body, room));
    }

    /** The largest id that a text can have; -1 where there is no token. */
    public int largestId() {
        return IntStream.of(
                        model.largestId(),
                        rawTokens.largestId(),
                        normalizedTokens.largestId(),
                        template.largestId())
                .max()
                .orElseThrow();
    }

    private int[] body(String text) {
        requirePairedSurrogates(text);
        IntStream.Builder ids = IntStream.builder();
        for (AddedTokens.Span outer : rawTokens.cut(text)) {
            if (outer.isToken()) {
                ids.add(outer.id());
                continue;
            }
            for (AddedTokens.Span inner : normalizedTokens.cut(normalizer.apply(outer.text()))) {
                if (inner.isToken()) {
                    ids.add(inner.id());
                    continue;
                }
                for (String piece : splitter.split(inner.text())) {
                    model.encode(piece, ids);
                }
            }
        }
        return ids.build().toArray();
    }

    private static void requirePairedSurrogates(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (Character.charCount(text.codePointAt(i)) == 1) {
                    throw new IllegalArgumentException(
                            "the text has an unpaired surrogate (U+%04X) at index %d, expected paired ones"
                                    .formatted((int) text.charAt(i), i));
                }
                i++;
            }
        }
    }
}
