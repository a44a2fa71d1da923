package io.sanavideo.media;

import io.sanavideo.ModelFormatException;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A kind of image file, known by its first bytes: FFmpeg's own guess may depend on the name and
 * lead to readers of lists and of other files.
 */
enum ImageKind {
    JPEG("jpeg_pipe", "\u00FF\u00D8\u00FF"),
    PNG("png_pipe", "\u0089PNG\r\n\u001A\n"),
    WEBP("webp_pipe", "RIFF????WEBP"),
    BMP("bmp_pipe", "BM"),
    TIFF("tiff_pipe", "II*\0"),
    TIFF_BIG_ENDIAN("tiff_pipe", "MM\0*"),
    GIF("gif", "GIF8"),
    GREY_PNM("pgm_pipe", "P5"),
    COLOUR_PNM("ppm_pipe", "P6"),
    QOI("qoi_pipe", "qoif");

    private static final int LONGEST = 12;
    private static final char ANY = '?';

    /** Bit of the flags in the header of a WebP file with features, and where they are. */
    private static final int WEBP_ANIMATED = 2;

    private static final int WEBP_FLAGS = 20;

    private final String demuxer;
    private final String signature;

    ImageKind(String demuxer, String signature) {
        this.demuxer = demuxer;
        this.signature = signature;
    }

    /** FFmpeg's name of its reader. */
    String demuxer() {
        return demuxer;
    }

    /**
     * Looks at a file.
     *
     * @throws ModelFormatException when it cannot be read, is of no known kind, or is animated
     */
    static ImageKind of(Path path) {
        if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
            throw new ModelFormatException(
                    "cannot read the image %s: %s"
                            .formatted(
                                    path,
                                    Files.exists(path)
                                            ? "it is not a readable ordinary file"
                                            : "there is no such file"));
        }
        try (InputStream file = Files.newInputStream(path)) {
            byte[] start = file.readNBytes(WEBP_FLAGS + 1);
            for (ImageKind kind : values()) {
                if (kind.matches(start)) {
                    kind.requireStill(path, start);
                    return kind;
                }
            }
            throw new ModelFormatException(
                    "the image %s is %s; expected one of %s"
                            .formatted(
                                    path,
                                    start.length == 0 ? "empty" : "of no kind that can be read",
                                    names()));
        } catch (IOException e) {
            throw new ModelFormatException(
                    "cannot read the image %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static String names() {
        return Arrays.stream(values())
                .filter(kind -> kind != TIFF_BIG_ENDIAN)
                .map(kind -> kind.name().replace('_', ' '))
                .collect(Collectors.joining(", "));
    }

    private boolean matches(byte[] start) {
        byte[] expected = signature.getBytes(StandardCharsets.ISO_8859_1);
        if (start.length < Math.min(expected.length, LONGEST)) {
            return false;
        }
        for (int i = 0; i < expected.length; i++) {
            if (expected[i] != ANY && expected[i] != start[i]) {
                return false;
            }
        }
        return true;
    }

    /** The decoders of these two show an animation's first picture and say nothing. */
    private void requireStill(Path path, byte[] start) throws IOException {
        boolean animated =
                switch (this) {
                    case PNG -> isAnimatedPng(path);
                    case WEBP ->
                            start.length > WEBP_FLAGS
                                    && new String(start, 12, 4, StandardCharsets.ISO_8859_1)
                                            .equals("VP8X")
                                    && (start[WEBP_FLAGS] & WEBP_ANIMATED) != 0;
                    default -> false;
                };
        if (animated) {
            throw new ModelFormatException(
                    "the image %s is animated: it holds more than one picture; take one of them"
                            .formatted(path));
        }
    }

    /** Whether there is an acTL chunk before the first IDAT. */
    private static boolean isAnimatedPng(Path path) throws IOException {
        try (DataInputStream file = new DataInputStream(Files.newInputStream(path))) {
            file.skipNBytes(PNG.signature.length());
            while (true) {
                long length = file.readInt() & 0xFFFFFFFFL;
                String type = new String(file.readNBytes(4), StandardCharsets.ISO_8859_1);
                if (type.equals("acTL")) {
                    return true;
                }
                if (type.length() < 4 || type.equals("IDAT")) {
                    return false;
                }
                file.skipNBytes(length + 4);
            }
        } catch (EOFException e) {
            return false; // the decoder says what is wrong
        }
    }
}
