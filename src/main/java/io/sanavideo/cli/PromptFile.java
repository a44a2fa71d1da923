package io.sanavideo.cli;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A text file with a prompt a line; blank lines are passed over. */
final class PromptFile {
    private PromptFile() {}

    /**
     * @throws ModelFormatException when it cannot be read or holds no prompt
     */
    static List<String> read(Path file) {
        List<String> prompts;
        try {
            prompts = Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
        } catch (IOException e) {
            throw new ModelFormatException(
                    "%s: the prompts cannot be read (%s); expected UTF-8 text, a prompt a line"
                            .formatted(file, e),
                    e);
        }
        if (prompts.isEmpty()) {
            throw new ModelFormatException(
                    "%s: holds no prompt, expected one a line".formatted(file));
        }
        return prompts;
    }
}
