package io.sanavideo.pipeline;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A small file of text that is replaced at once or not at all. */
final class TextFile {
    /** How the names of files end that are being written. */
    static final String PART = ".part";

    private TextFile() {}

    static void write(Path file, String text) {
        Path part = file.resolveSibling("." + file.getFileName() + PART);
        try {
            Files.writeString(part, text);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e, e);
        }
    }
}
