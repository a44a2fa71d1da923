package io.sanavideo.runtime;

/** Element types of tensors, on the device and in safetensors files. */
public enum DType {
    F32(0, 4),
    BF16(1, 2),
    F16(2, 2),
    I32(3, 4),
    U8(4, 1),
    I64(5, 8),
    F64(6, 8);

    private final int code;
    private final int bytes;

    DType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
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

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
