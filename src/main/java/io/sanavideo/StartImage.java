package io.sanavideo;

import io.sanavideo.media.ImageReader;
import io.sanavideo.media.PictureColours;
import io.sanavideo.weights.ContentHash;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Objects;

/**
 * A picture that a clip begins with. It may have any size: a clip takes the part of it that its own
 * sides cut out of the middle, scaled with a Lanczos filter.
 */
public final class StartImage {
    /** Channels of a pixel. */
    private static final int COLOURS = 3;

    private final int width;
    private final int height;
    private final short[] rgb;

    /**
     * @param width pixels, from 1
     * @param height pixels, from 1
     * @param rgb [height, width, 3]: red, green and blue in sRGB, 16 bits without a sign each; kept
     *     as it is, not copied
     * @throws IllegalArgumentException when sizes do not agree
     */
    public StartImage(int width, int height, short[] rgb) {
        Objects.requireNonNull(rgb, "rgb");
        if (width < 1 || height < 1 || (long) width * height * COLOURS != rgb.length) {
            throw new IllegalArgumentException(
                    "%d values were given for an image of %dx%d pixels, expected 3 for each"
                            .formatted(rgb.length, width, height));
        }
        this.width = width;
        this.height = height;
        this.rgb = rgb;
    }

    /**
     * Reads a JPEG, PNG, WebP, BMP, TIFF, GIF, PNM or QOI file with one picture: grey or coloured,
     * of 8 or 16 bits. It is turned upright as its Exif data says; what is transparent is laid over
     * white.
     *
     * @throws ModelFormatException when the file cannot be read, is not such an image, is animated,
     *     or has more than 100 million pixels
     */
    public static StartImage read(Path path) {
        return ImageReader.read(path);
    }

    /**
     * The last frame of a video file, so that a clip goes on where another ended.
     *
     * @throws ModelFormatException when the file cannot be read or holds no pictures
     */
    public static StartImage lastFrameOf(Path clip) {
        return ImageReader.lastFrame(clip);
    }

    /**
     * An image of 8 bits.
     *
     * @param rgb [height, width, 3] bytes from its position on, which stays where it is
     */
    public static StartImage of8Bits(int width, int height, ByteBuffer rgb) {
        short[] wide = new short[width * height * COLOURS];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = PictureColours.wide(rgb.get(rgb.position() + i));
        }
        return new StartImage(width, height, wide);
    }

    /** An image in memory, as {@link BufferedImage#getRGB} reads it; transparency is left out. */
    public static StartImage of(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        short[] rgb = new short[width * height * COLOURS];
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int x = 0; x < width; x++) {
                int at = (y * width + x) * COLOURS;
                rgb[at] = PictureColours.wide(row[x] >> 16);
                rgb[at + 1] = PictureColours.wide(row[x] >> 8);
                rgb[at + 2] = PictureColours.wide(row[x]);
            }
        }
        return new StartImage(width, height, rgb);
    }

    /** Pixels. */
    public int width() {
        return width;
    }

    /** Pixels. */
    public int height() {
        return height;
    }

    /** SHA-256 of the pixels, [height, width, 3] of 16 bits with the high byte first, in hex. */
    public String sha256() {
        MessageDigest digest = ContentHash.sha256();
        ByteBuffer row = ByteBuffer.allocate(width * COLOURS * Short.BYTES);
        for (int y = 0; y < height; y++) {
            row.asShortBuffer().put(rgb, y * width * COLOURS, width * COLOURS);
            digest.update(row.array());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** [height, width, 3], 16 bits without a sign each; not a copy. */
    public short[] rgb() {
        return rgb;
    }
}
