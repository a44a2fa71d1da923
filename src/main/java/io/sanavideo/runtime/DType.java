package io.sanavideo.runtime;

import io.sanavideo.Device;
import io.sanavideo.Precision;

/** Element types of tensors, on the device and in safetensors files. */
public enum DType {
    F32(0, 4),
    BF16(1, 2),
    F16(2, 2),
    I32(3, 4),
    U8(4, 1),
    I64(5, 8),
    F64(6, 8),
    /** The scales of NVFP4, in files alone. */
    F8_E4M3(7, 1);

    private final int code;
    private final int bytes;

    DType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** What a model's weights and activations are on a device: F32 or BF16. */
    public static DType of(Precision precision, Device device) {
        return switch (precision) {
            case F32 -> F32;
            case BF16 -> BF16;
            case AUTO -> device.kind() == Device.Kind.CUDA || Native.cpuHasBf16() ? BF16 : F32;
        };
    }

    /** The value of {@code sv_dtype} in the C ABI. */
    int code() {
        return code;
    }

    /** The nearest bf16 number to a finite one, ties to even. */
    public static float roundToBf16(float value) {
        int bits = Float.floatToIntBits(value);
        return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
    }

    /**
     * The number that an e4m3 byte stands for: a sign bit, 4 exponent bits of bias 7, 3 fraction
     * bits; no infinities, one NaN a sign.
     */
    public static float e4m3ToFloat(byte bits) {
        int exponent = bits >> 3 & 15;
        int fraction = bits & 7;
        float size;
        if (exponent == 0) {
            size = fraction * 0x1p-9f;
        } else if ((bits & 0x7f) == 0x7f) {
            size = Float.NaN;
        } else {
            size = Float.intBitsToFloat(exponent - 7 + 127 << 23 | fraction << 20);
        }
        return bits < 0 ? -size : size;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
