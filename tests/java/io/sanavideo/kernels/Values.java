package io.sanavideo.kernels;

import io.sanavideo.runtime.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.DoubleSupplier;

/**
 * The elements of an f32, bf16 or u8 tensor on the host, exactly as the device holds them: what a
 * bf16 number cannot hold was rounded before. The conversions are written here once more on
 * purpose, so that those of the library are tested by other code.
 */
record Values(DType dtype, long[] shape, float[] data) {

    /** Elements drawn one after the other, rounded to the dtype. */
    static Values of(DType dtype, DoubleSupplier source, long... shape) {
        float[] data = new float[length(shape)];
        for (int i = 0; i < data.length; i++) {
            data[i] = round(dtype, (float) source.getAsDouble());
        }
        return new Values(dtype, shape, data);
    }

    /** Given elements, rounded to the dtype. */
    static Values of(DType dtype, double[] elements, long... shape) {
        int[] next = {0};
        return of(dtype, () -> elements[next[0]++], shape);
    }

    static int length(long... shape) {
        return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
    }

    /** The nearest number that the dtype holds; of two, the one with the even last bit. */
    static float round(DType dtype, float value) {
        if (dtype == DType.F32) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        int below = bits & 0xffff0000;
        int rest = bits & 0xffff;
        boolean up = rest > 0x8000 || rest == 0x8000 && (bits & 0x10000) != 0;
        return Float.intBitsToFloat(up ? below + 0x10000 : below);
    }

    int length() {
        return data.length;
    }

    int size(int dimension) {
        return Math.toIntExact(shape[dimension]);
    }

    double at(int index) {
        return data[index];
    }

    Values reshape(long... newShape) {
        return new Values(dtype, newShape, data);
    }

    /** Elements [first, first + length of the shape), as a tensor of that shape. */
    Values part(int first, long... newShape) {
        return new Values(
                dtype, newShape, Arrays.copyOfRange(data, first, first + length(newShape)));
    }

    /** Type and shape, and one element when the index is not negative. */
    String toText(int index) {
        return index < 0 ? toString() : this + " with " + data[index];
    }

    /** The elements as the device stores them, in a direct buffer. */
    ByteBuffer bytes() {
        ByteBuffer bytes = buffer(data.length, dtype);
        for (float value : data) {
            switch (dtype) {
                case F32 -> bytes.putFloat(value);
                case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                case U8 -> bytes.put((byte) value);
                default -> throw new AssertionError(dtype);
            }
        }
        return bytes.flip();
    }

    /** Reads what {@link #bytes} writes. */
    static Values decode(DType dtype, long[] shape, ByteBuffer bytes) {
        float[] data = new float[length(shape)];
        for (int i = 0; i < data.length; i++) {
            data[i] =
                    switch (dtype) {
                        case F32 -> bytes.getFloat();
                        case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
                        case U8 -> bytes.get() & 0xff;
                        default -> throw new AssertionError(dtype);
                    };
        }
        return new Values(dtype, shape, data);
    }

    static ByteBuffer buffer(int elements, DType dtype) {
        return ByteBuffer.allocateDirect(elements * dtype.bytes()).order(ByteOrder.nativeOrder());
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape);
    }
}
