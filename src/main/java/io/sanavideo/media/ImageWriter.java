package io.sanavideo.media;

import io.sanavideo.StartImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes one picture without a loss: PPM (Netpbm, P6) of 16 bits a colour. */
public final class ImageWriter {
    private static final int COLOURS = 3;

    private ImageWriter() {}

    /**
     * Writes a file, which appears under its name when it is complete; reading it gives the same
     * pixels.
     *
     * @param path in a folder that is there
     * @throws IllegalArgumentException if it cannot be made
     * @throws io.sanavideo.DoesNotFitException if the disk is full
     */
    public static void write(StartImage image, Path path) {
        try (PartialOutput output = PartialOutput.file(path)) {
            try (OutputStream out = Files.newOutputStream(output.path())) {
                String header = "P6\n%d %d\n65535\n".formatted(image.width(), image.height());
                out.write(header.getBytes(StandardCharsets.US_ASCII));
                int values = image.width() * COLOURS;
                ByteBuffer row = ByteBuffer.allocate(values * Short.BYTES);
                for (int y = 0; y < image.height(); y++) {
                    row.asShortBuffer().put(image.rgb(), y * values, values);
                    out.write(row.array());
                }
            } catch (IOException e) {
                throw output.failure(e);
            }
            output.commit();
        }
    }
}
