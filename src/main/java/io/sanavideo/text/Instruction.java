package io.sanavideo.text;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The long instruction that the text encoder reads before a prompt. It colours how the encoder
 * understands the prompt; its own rows are then dropped, all but the beginning token and the token
 * where the prompt joins on.
 *
 * <p>The mechanism is that of diffusers' {@code SanaVideoPipeline}. The wording of {@link
 * #standard()} is this project's own; models were trained with the reference's, which is found as
 * the default of the argument {@code complex_human_instruction} of {@code SanaVideoPipeline} and as
 * {@code text_encoder.chi_prompt} in the configurations of NVlabs' Sana: put its lines into a file
 * and {@link #load} that to have the reference's embeddings.
 *
 * <p>Immutable.
 */
public final class Instruction {
    /** No instruction: the prompt is encoded as it is. */
    public static final Instruction NONE = new Instruction("");

    private static final Instruction STANDARD =
            new Instruction(
                    """
                    You write shot descriptions for short videos. Turn the request at the end \
                    into one description of a clip that a film crew could shoot from, in a few \
                    plain sentences.
                    Tell what is in the picture: the subject with its colours, materials and \
                    size, the place it is in, the light and the weather, and where the camera \
                    stands.
                    Tell what happens over time: who or what moves, which way and how fast, what \
                    changes around it, whether the camera follows, and how the shot ends.
                    Keep every fact of the request. Add fitting details where it is brief, and \
                    only smooth the wording where it already says much.
                    Request: a dog on a beach
                    Description: A shaggy brown dog trots along the wet edge of a wide beach at \
                    sunrise, from left to right, its paws splashing through thin sheets of \
                    water, while the camera glides beside it and low waves roll in behind.
                    Request: rain at night
                    Description: Heavy rain falls on an empty street lit by two orange lamps; \
                    drops burst on the black asphalt, a cyclist in a yellow coat passes slowly \
                    away from the camera, and the reflections close again behind the wheels.
                    Answer with the description and nothing else.
                    Request:\s\
                    """);

    private final String text;

    private Instruction(String text) {
        this.text = text;
    }

    /** This project's instruction, written for video. */
    public static Instruction standard() {
        return STANDARD;
    }

    /**
     * An instruction in the caller's words, put before the prompt without anything between: it
     * usually ends in a space.
     *
     * @throws IllegalArgumentException when it is empty; {@link #NONE} is no instruction
     */
    public static Instruction of(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException(
                    "the instruction is empty, expected text, or NONE to have no instruction");
        }
        return new Instruction(text);
    }

    /**
     * Reads an instruction from a UTF-8 text file. One line end at the end of the file, which
     * editors put there, is not part of it.
     *
     * @throws ModelFormatException when the file is missing, empty or not UTF-8
     */
    public static Instruction load(Path file) {
        String text;
        try {
            text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                            .toString();
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(file + ": is not UTF-8 text", e);
        } catch (IOException e) {
            throw new ModelFormatException(file + ": cannot be read as an instruction: " + e, e);
        }
        String instruction = text.replaceFirst("\\r?\\n\\z", "");
        if (instruction.isEmpty()) {
            throw new ModelFormatException(
                    file + ": is empty, expected the text of an instruction");
        }
        return new Instruction(instruction);
    }

    /** The text, empty for {@link #NONE}. */
    public String text() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Instruction instruction && text.equals(instruction.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return "Instruction[%d characters]".formatted(text.length());
    }

    /**
     * The tokens of a prompt behind this instruction. With an instruction of n tokens, the
     * beginning token counted, the encoder sees at most n + maxRows - 2 tokens, and of those the
     * first and the last maxRows - 1 places are selected; without one it sees at most maxRows and
     * all are selected.
     *
     * @param prompt any text; lower-cased and stripped first
     * @param maxRows rows of the transformer's text input, from 1; 300 for the released models
     * @throws IllegalArgumentException when maxRows is out of range or the prompt is not Unicode
     */
    public PromptTokens prompt(Tokenizer tokenizer, String prompt, int maxRows) {
        if (text.isEmpty()) {
            return plain(tokenizer, prompt, maxRows);
        }
        requireRows(maxRows);
        int length = Math.addExact(tokenizer.encode(text).length, maxRows - 2);
        int[] ids = tokenizer.encode(text + prepared(prompt), length);
        int[] selection =
                IntStream.concat(IntStream.of(0), IntStream.range(length - maxRows + 1, length))
                        .toArray();
        return new PromptTokens(ids, selection);
    }

    /**
     * The tokens of a text without any instruction, as a negative prompt is encoded.
     *
     * @param text any text; lower-cased and stripped first
     * @param maxRows rows of the transformer's text input, from 1; 300 for the released models
     * @throws IllegalArgumentException when maxRows is out of range or the text is not Unicode
     */
    public static PromptTokens plain(Tokenizer tokenizer, String text, int maxRows) {
        requireRows(maxRows);
        return new PromptTokens(
                tokenizer.encode(prepared(text), maxRows), IntStream.range(0, maxRows).toArray());
    }

    /**
     * The prompt with the sentence that tells the models how much is to move.
     *
     * @param score 0 or more; the references use 10 to 30
     * @throws IllegalArgumentException when the score is negative
     */
    public static String withMotionScore(String prompt, int score) {
        if (score < 0) {
            throw new IllegalArgumentException(
                    "motion score is %d, expected 0 or more".formatted(score));
        }
        return "%s motion score: %d.".formatted(prompt, score);
    }

    private static void requireRows(int maxRows) {
        if (maxRows < 1) {
            throw new IllegalArgumentException(
                    "%d text rows were asked for, expected 1 or more".formatted(maxRows));
        }
    }

    /** As Python's {@code text.lower().strip()}. */
    private static String prepared(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        int start = 0;
        int end = lower.length();
        while (start < end && isSpace(lower.charAt(start))) {
            start++;
        }
        while (start < end && isSpace(lower.charAt(end - 1))) {
            end--;
        }
        return lower.substring(start, end);
    }

    /** Python's {@code str.isspace}; U+0085 is white space there, to Java it is not. */
    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }
}
