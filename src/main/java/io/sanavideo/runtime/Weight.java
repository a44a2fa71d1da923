package io.sanavideo.runtime;

import io.sanavideo.DeviceException;
import io.sanavideo.binding.SanaVideoAbi;
import io.sanavideo.binding.WeightHandle;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** A weight in the layout of its device. Freed by {@link #close()} or with its context. */
public final class Weight implements Context.Resource {
    private final Context context;
    private final DType dtype;
    private final long[] shape;
    private WeightHandle handle;

    Weight(Context context, WeightKind kind, DType dtype, long... shape) {
        this.context = context;
        this.dtype = dtype;
        this.shape = shape.clone();
        this.handle = new WeightHandle();
        Native.check(
                SanaVideoAbi.sv_weight_create(
                        context.handle(),
                        kind.ordinal(),
                        dtype.code(),
                        shape.length,
                        this.shape,
                        handle),
                "weight");
        context.own(this);
    }

    /** One that stays NVFP4. */
    Weight(Context context, WeightKind kind, long... shape) {
        this.context = context;
        this.dtype = DType.U8;
        this.shape = shape.clone();
        this.handle = new WeightHandle();
        Native.check(
                SanaVideoAbi.sv_nvfp4_weight_create(
                        context.handle(), kind.ordinal(), shape.length, this.shape, handle),
                "weight");
        context.own(this);
    }

    /** The shape in the file's order. */
    public long[] shape() {
        return shape.clone();
    }

    /** What the weight is stored as; U8 for the codes of NVFP4. */
    public DType dtype() {
        return dtype;
    }

    public boolean isNvfp4() {
        return dtype == DType.U8;
    }

    /** Bytes on the device. */
    public long bytes() {
        long[] bytes = new long[1];
        Native.check(SanaVideoAbi.sv_weight_bytes(handle(), bytes), "weight");
        return bytes[0];
    }

    /**
     * Packs whole rows (slices along the first dimension).
     *
     * @param data a direct buffer; its remaining bytes are {@code rows} rows of {@code dataType}
     * @throws io.sanavideo.NumericsException when an element is NaN or infinite, naming its index
     */
    public void pack(long firstRow, long rows, ByteBuffer data, DType dataType) {
        requireBytes("data", data, rows * rowElements() * dataType.bytes());
        Native.check(
                SanaVideoAbi.sv_weight_pack(
                        context.handle(),
                        handle(),
                        firstRow,
                        rows,
                        new BytePointer(data),
                        dataType.code()),
                "pack");
    }

    /**
     * Packs whole rows of an NVFP4 weight, taps before channels.
     *
     * @param codes a direct buffer of a byte for two elements, the even one in its low four bits
     * @param scales a direct buffer of a byte for 16 elements
     * @param globalScale what the elements of these rows are multiplied by
     * @throws io.sanavideo.NumericsException when a scale is no number, naming its index
     */
    public void packNvfp4(
            long firstRow, long rows, ByteBuffer codes, ByteBuffer scales, float globalScale) {
        requireBytes("codes", codes, rows * rowElements() / 2);
        requireBytes("scales", scales, rows * rowElements() / 16);
        Native.check(
                SanaVideoAbi.sv_nvfp4_weight_pack(
                        context.handle(),
                        handle(),
                        firstRow,
                        rows,
                        new BytePointer(codes),
                        new BytePointer(scales),
                        globalScale),
                "pack");
    }

    private long rowElements() {
        long elements = 1;
        for (int i = 1; i < shape.length; i++) {
            elements *= shape[i];
        }
        return elements;
    }

    private static void requireBytes(String name, ByteBuffer data, long expected) {
        if (!data.isDirect() || data.remaining() != expected) {
            throw new IllegalArgumentException(
                    "%s is a %s buffer of %d bytes, expected a direct one of %d bytes"
                            .formatted(
                                    name,
                                    data.isDirect() ? "direct" : "heap",
                                    data.remaining(),
                                    expected));
        }
    }

    /**
     * Where a card holds a linear or convolution weight, for libraries that multiply by it: [out,
     * taps, in], each tap's channels padded with zeros to whole 16 bytes.
     *
     * @throws DeviceException on the CPU, or for another kind of weight
     */
    public Pointer matrix() {
        Pointer data = new Pointer();
        Native.check(SanaVideoAbi.sv_weight_matrix(handle(), data, new long[1]), "weight");
        return data;
    }

    WeightHandle handle() {
        if (handle == null) {
            throw new IllegalStateException("this weight is closed");
        }
        return handle;
    }

    @Override
    public void close() {
        if (handle != null) {
            SanaVideoAbi.sv_weight_destroy(context.handle(), handle);
            handle = null;
            context.disown(this);
        }
    }
}
