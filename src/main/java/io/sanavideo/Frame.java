package io.sanavideo;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.nio.ByteBuffer;

/**
 * One decoded frame. Its pixels are valid while the {@link FrameSink} that was given it runs;
 * {@link #toBytes()} and {@link #toImage()} make copies that last.
 *
 * @param index from 0
 * @param width pixels
 * @param height pixels
 * @param rgb read-only, [height, width, 3] bytes: red, green, blue
 */
public record Frame(int index, int width, int height, ByteBuffer rgb) {
    /** A copy of the pixels, [height, width, 3]. */
    public byte[] toBytes() {
        byte[] bytes = new byte[width * height * 3];
        rgb.duplicate().get(bytes);
        return bytes;
    }

    /** A copy as an image of type {@link BufferedImage#TYPE_3BYTE_BGR}. */
    public BufferedImage toImage() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        byte[] bgr = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        byte[] bytes = toBytes();
        for (int i = 0; i < bgr.length; i += 3) {
            bgr[i] = bytes[i + 2];
            bgr[i + 1] = bytes[i + 1];
            bgr[i + 2] = bytes[i];
        }
        return image;
    }
}
