package io.sanavideo.media;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A SHA-256 chain over the RGB frames of a clip, taken before encoding: {@code h_0 =
 * SHA-256(frame_0)}, {@code h_i = SHA-256(h_{i-1} || frame_i)}, where {@code ||} joins the 32 raw
 * bytes of the previous hash and the packed {@code [height, width, 3]} bytes of the frame. Equal
 * chains mean equal frames in equal order, whatever file they were written to.
 */
public final class FrameHash {
    private final MessageDigest sha256;
    private byte[] last;

    /** Over no frames yet. */
    public FrameHash() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /**
     * Goes on after frames whose hash is known.
     *
     * @param hex as {@link #hex} gave it
     */
    public FrameHash(String hex) {
        this();
        last = HexFormat.of().parseHex(hex);
    }

    /** Appends one frame: the buffer's remaining bytes. Its position stays where it is. */
    public void update(ByteBuffer rgb) {
        if (last != null) {
            sha256.update(last);
        }
        sha256.update(rgb.duplicate());
        last = sha256.digest();
    }

    /**
     * The hash of the frames so far, 64 lower-case hexadecimal digits.
     *
     * @throws IllegalStateException before the first frame
     */
    public String hex() {
        if (last == null) {
            throw new IllegalStateException("there is no frame yet, so there is no hash");
        }
        return HexFormat.of().formatHex(last);
    }
}
