package io.sanavideo.weights;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 of files and texts: which weights a clip was made with, say. */
public final class ContentHash {
    private static final int BLOCK_BYTES = 1 << 20;

    private ContentHash() {}

    /**
     * SHA-256 over the bytes of a checkpoint's files, one after another in the order of their
     * names, as 64 lower-case hexadecimal digits: what {@code cat *.safetensors | sha256sum}
     * prints. Reads every file whole, a block at a time.
     *
     * @throws ModelFormatException when a file cannot be read
     */
    public static String of(Checkpoint checkpoint) {
        return of(checkpoint.files().stream().map(SafetensorsFile::path).toList());
    }

    /**
     * Likewise over the bytes of a file: what {@code sha256sum} prints.
     *
     * @throws ModelFormatException when it cannot be read
     */
    public static String of(Path file) {
        return of(List.of(file));
    }

    /**
     * Likewise over the bytes of files, one after another in this order.
     *
     * @throws ModelFormatException when one cannot be read
     */
    public static String of(List<Path> files) {
        MessageDigest digest = sha256();
        byte[] block = new byte[BLOCK_BYTES];
        for (Path file : files) {
            try (InputStream in = Files.newInputStream(file)) {
                int count;
                while ((count = in.read(block)) >= 0) {
                    digest.update(block, 0, count);
                }
            } catch (IOException e) {
                throw new ModelFormatException(file + ": cannot be read: " + e, e);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Likewise over a text in UTF-8. */
    public static String of(String text) {
        byte[] hash = sha256().digest(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash);
    }

    /** What counts a hash of bytes that come one after the other. */
    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
