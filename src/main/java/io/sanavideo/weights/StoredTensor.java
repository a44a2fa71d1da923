package io.sanavideo.weights;

import io.sanavideo.DoesNotFitException;
import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * One tensor of a file: where it lies. Row-major and little-endian.
 *
 * @param file the open file
 * @param name its name in the file
 * @param dtype type of its elements
 * @param shape its dimensions; empty for a scalar
 * @param begin offset of its first byte, counted from the start of the file
 * @param end offset after its last byte
 */
public record StoredTensor(
        SafetensorsFile file, String name, DType dtype, List<Long> shape, long begin, long end) {
    private static final int BLOCK_BYTES = 1 << 16;

    /** Number of elements; 1 for a scalar. */
    public long elements() {
        return bytes() / dtype.bytes();
    }

    /** Number of bytes in the file. */
    public long bytes() {
        return end - begin;
    }

    /**
     * Fills a buffer with this tensor's bytes from an offset on.
     *
     * @param offset in bytes, counted from the tensor's first byte
     * @param target filled from its position to its limit; its byte order is left as it is
     * @throws ModelFormatException when the file has shrunk or cannot be read
     * @throws IllegalArgumentException when the range leaves the tensor
     * @throws IllegalStateException when the file is closed
     */
    public void read(long offset, ByteBuffer target) {
        if (offset < 0 || offset > bytes() - target.remaining()) {
            throw new IllegalArgumentException(
                    "bytes %d to %d of tensor '%s', expected a range inside its %d"
                            .formatted(offset, offset + target.remaining(), name, bytes()));
        }
        file.read(name, begin + offset, target);
    }

    /**
     * All elements as floats, for small tensors: 64-bit types are rounded to nearest.
     *
     * @throws DoesNotFitException when there are more elements than an array can hold
     * @throws ModelFormatException when the file has shrunk or cannot be read
     */
    public float[] toFloats() {
        if (elements() > Integer.MAX_VALUE - 8) {
            throw new DoesNotFitException(
                    "%s: tensor '%s' has %d elements, more than an array can hold"
                            .formatted(file.path(), name, elements()));
        }
        float[] floats = new float[(int) elements()];
        ByteBuffer block =
                ByteBuffer.allocate((int) Math.min(BLOCK_BYTES, bytes()))
                        .order(ByteOrder.LITTLE_ENDIAN);
        int filled = 0;
        while (filled < floats.length) {
            long offset = (long) filled * dtype.bytes();
            read(offset, block.clear().limit((int) Math.min(block.capacity(), bytes() - offset)));
            block.flip();
            while (block.hasRemaining()) {
                floats[filled++] = nextFloat(dtype, block);
            }
        }
        return floats;
    }

    /** The next element of little-endian bytes. */
    static float nextFloat(DType dtype, ByteBuffer bytes) {
        return switch (dtype) {
            case F32 -> bytes.getFloat();
            case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
            case F16 -> halfToFloat(bytes.getShort());
            case I32 -> bytes.getInt();
            case U8 -> bytes.get() & 0xff;
            case I64 -> bytes.getLong();
            case F64 -> (float) bytes.getDouble();
            case F8_E4M3 -> DType.e4m3ToFloat(bytes.get());
        };
    }

    /** IEEE 754 binary16: 1 sign bit, 5 exponent bits of bias 15, 10 fraction bits. */
    private static float halfToFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = (bits >> 10) & 0x1f;
        int fraction = bits & 0x3ff;
        if (exponent == 0) {
            float subnormal = fraction * 0x1p-24f;
            return sign == 0 ? subnormal : -subnormal;
        }
        int wide = exponent == 0x1f ? 0xff : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
    }
}
