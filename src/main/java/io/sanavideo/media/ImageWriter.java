package io.sanavideo.media;

import io.sanavideo.StartImage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes one picture without a loss: PPM (Netpbm, P6) of 16 bits a colour. */
public final class ImageWriter {
    private static final int COLOURS = 3;

    private ImageWriter() {}

    /**
     * Writes a file, which appears under its name when it is complete; reading it gives the same
     * pixels.
     *
     * @param path in a folder that is made where it is not there
     */
    public static void write(StartImage image, Path path) {
        Path part = path.resolveSibling("." + path.getFileName() + ".part");
        try {
            Files.createDirectories(path.getParent());
            try (OutputStream out = Files.newOutputStream(part)) {
                String header = "P6\n%d %d\n65535\n".formatted(image.width(), image.height());
                out.write(header.getBytes(StandardCharsets.US_ASCII));
                int values = image.width() * COLOURS;
                ByteBuffer row = ByteBuffer.allocate(values * Short.BYTES);
                for (int y = 0; y < image.height(); y++) {
                    row.asShortBuffer().put(image.rgb(), y * values, values);
                    out.write(row.array());
                }
            }
            Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": cannot be written: " + e, e);
        }
    }
}
