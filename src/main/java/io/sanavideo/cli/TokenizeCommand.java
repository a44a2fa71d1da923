package io.sanavideo.cli;

import io.sanavideo.text.Tokenizer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code sana-video tokenize}: the token ids of texts. */
@Command(
        name = "tokenize",
        description = "Prints the token ids of a text as a JSON array.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class TokenizeCommand implements Callable<Integer> {
    private static final String STANDARD_INPUT = "-";

    @Parameters(
            index = "0",
            paramLabel = "MODEL|FILE",
            description = "A model folder, demo, or a tokenizer.json.")
    private String model;

    @Parameters(
            index = "1",
            paramLabel = "TEXT|-",
            description =
                    "The text, or - for standard input: UTF-8, a text a line, an array a line.")
    private String text;

    @Override
    public Integer call() {
        Path path = ModelOptions.modelFolder(model);
        Path inModel = path.resolve("tokenizer");
        Tokenizer tokenizer = Tokenizer.open(Files.isDirectory(inModel) ? inModel : path);
        if (!text.equals(STANDARD_INPUT)) {
            print(tokenizer.encode(text), System.out);
            return ExitCode.DONE;
        }
        BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(System.in, StandardCharsets.UTF_8.newDecoder()));
        try {
            String line;
            while ((line = line(lines)) != null) {
                print(tokenizer.encode(line), System.out);
            }
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("standard input is not valid UTF-8", e);
        } catch (IOException e) {
            throw new UncheckedIOException("standard input cannot be read: " + e, e);
        }
        return ExitCode.DONE;
    }

    /** The next line without its end, \n or \r\n; a \r elsewhere belongs to the text. */
    private static String line(BufferedReader reader) throws IOException {
        StringBuilder line = new StringBuilder();
        int next;
        while ((next = reader.read()) >= 0 && next != '\n') {
            line.append((char) next);
        }
        if (next < 0 && line.isEmpty()) {
            return null;
        }
        if (next == '\n' && !line.isEmpty() && line.charAt(line.length() - 1) == '\r') {
            line.setLength(line.length() - 1);
        }
        return line.toString();
    }

    private static void print(int[] ids, PrintStream out) {
        out.println(Arrays.toString(ids));
    }
}
