package io.sanavideo.media;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/**
 * PNG files of 8-bit RGB in sRGB (W3C, Portable Network Graphics Specification, third edition).
 * Every row has the Paeth filter, which suits pictures of the natural kind.
 */
final class PngImage {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    private static final byte PAETH = 4;

    /** The bytes of a chunk beside its data: length, type and checksum. */
    private static final int CHUNK_BYTES = 12;

    /** The bytes of the chunk that ends a file. */
    static final int END_BYTES = CHUNK_BYTES;

    private PngImage() {}

    /** The file for one frame of packed RGB. */
    static byte[] encode(ByteBuffer rgb, int width, int height) {
        byte[] header =
                ByteBuffer.allocate(13)
                        .putInt(width)
                        .putInt(height)
                        .put(
                                new byte[] {
                                    8, 2, 0, 0, 0
                                }) // 8 bits, RGB, deflate, filters, no interlace
                        .array();
        byte[] pixels = compress(rgb, width, height);
        return ByteBuffer.allocate(
                        SIGNATURE.length + 4 * CHUNK_BYTES + header.length + 1 + pixels.length)
                .put(SIGNATURE)
                .put(chunk("IHDR", header))
                .put(chunk("sRGB", new byte[] {0}))
                .put(chunk("IDAT", pixels))
                .put(chunk("IEND", new byte[0]))
                .array();
    }

    /** What takes the place of the last {@link #END_BYTES} of a file to give it a comment. */
    static byte[] commentAndEnd(String comment) {
        byte[] text = ("Comment\0\0\0\0\0" + comment).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(2 * CHUNK_BYTES + text.length)
                .put(chunk("iTXt", text))
                .put(chunk("IEND", new byte[0]))
                .array();
    }

    private static byte[] compress(ByteBuffer rgb, int width, int height) {
        int rowBytes = width * 3;
        byte[] above = new byte[rowBytes];
        byte[] row = new byte[rowBytes];
        byte[] filtered = new byte[1 + rowBytes];
        filtered[0] = PAETH;
        ByteArrayOutputStream compressed = new ByteArrayOutputStream(rowBytes * height / 4 + 64);
        Deflater deflater = new Deflater();
        try (DeflaterOutputStream stream = new DeflaterOutputStream(compressed, deflater)) {
            for (int y = 0; y < height; y++) {
                rgb.get(rgb.position() + y * rowBytes, row);
                for (int i = 0; i < rowBytes; i++) {
                    int left = i < 3 ? 0 : row[i - 3] & 0xFF;
                    int corner = i < 3 ? 0 : above[i - 3] & 0xFF;
                    filtered[1 + i] = (byte) (row[i] - paeth(left, above[i] & 0xFF, corner));
                }
                stream.write(filtered);
                byte[] swap = above;
                above = row;
                row = swap;
            }
        } catch (IOException e) {
            throw new AssertionError("memory streams do not fail", e);
        } finally {
            deflater.end();
        }
        return compressed.toByteArray();
    }

    /** The neighbour nearest to left + above - corner. */
    private static int paeth(int left, int above, int corner) {
        int toLeft = Math.abs(above - corner);
        int toAbove = Math.abs(left - corner);
        int toCorner = Math.abs(left + above - 2 * corner);
        if (toLeft <= toAbove && toLeft <= toCorner) {
            return left;
        }
        return toAbove <= toCorner ? above : corner;
    }

    private static byte[] chunk(String type, byte[] data) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES + data.length);
        chunk.putInt(data.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(data);
        CRC32 crc = new CRC32();
        crc.update(chunk.array(), 4, 4 + data.length);
        return chunk.putInt((int) crc.getValue()).array();
    }
}
