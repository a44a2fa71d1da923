package io.sanavideo.runtime;

import io.sanavideo.binding.SanaVideoAbi;
import io.sanavideo.binding.TensorStruct;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A contiguous, row-major array in a device's memory, channels last: [batch, frames, height, width,
 * channels]. A view ({@link #reshape}, {@link #slice}) shares the memory of the tensor it was made
 * from and is closed with it.
 */
public final class Tensor implements Context.Resource {
    private final Context context;
    private final DType dtype;
    private final long[] shape;
    private final Tensor owner;
    private final List<Tensor> views = new ArrayList<>();
    private final Pointer memory;
    private final boolean scratch;
    private TensorStruct struct;

    /**
     * @param scratch whether its memory is of that which ops keep for each other
     */
    Tensor(Context context, boolean scratch, DType dtype, long... shape) {
        this.context = context;
        this.scratch = scratch;
        this.dtype = dtype;
        this.shape = shape.clone();
        this.owner = this;
        this.memory = new Pointer();
        long bytes = Math.multiplyExact(product(shape), (long) dtype.bytes());
        Native.check(
                scratch
                        ? SanaVideoAbi.sv_take_scratch(context.handle(), bytes, memory)
                        : SanaVideoAbi.sv_allocate(context.handle(), bytes, memory),
                "tensor");
        this.struct = describe(memory);
        context.own(this);
    }

    private Tensor(Tensor owner, Pointer memory, long... shape) {
        this.context = owner.context;
        this.scratch = owner.scratch;
        this.dtype = owner.dtype;
        this.shape = shape.clone();
        this.owner = owner;
        this.memory = memory;
        this.struct = describe(memory);
        owner.views.add(this);
    }

    private TensorStruct describe(Pointer data) {
        TensorStruct described = new TensorStruct();
        described.data(data).dtype(dtype.code()).rank(shape.length);
        for (int i = 0; i < shape.length; i++) {
            described.shape(i, shape[i]);
        }
        return described;
    }

    private static long product(long... shape) {
        if (shape.length < 1 || shape.length > SanaVideoAbi.SV_MAX_RANK) {
            throw new IllegalArgumentException(
                    "shape %s has %d dimensions, expected 1 to %d"
                            .formatted(
                                    Arrays.toString(shape),
                                    shape.length,
                                    SanaVideoAbi.SV_MAX_RANK));
        }
        long product = 1;
        for (long size : shape) {
            if (size < 1) {
                throw new IllegalArgumentException(
                        "shape %s has a size below 1".formatted(Arrays.toString(shape)));
            }
            product = Math.multiplyExact(product, size);
        }
        return product;
    }

    public Context context() {
        return context;
    }

    public DType dtype() {
        return dtype;
    }

    public long[] shape() {
        return shape.clone();
    }

    /** The size of one dimension. */
    public long size(int dimension) {
        return shape[dimension];
    }

    /** Number of elements. */
    public long elements() {
        return product(shape);
    }

    /** Size in bytes. */
    public long bytes() {
        return elements() * dtype.bytes();
    }

    /** The same elements in another shape, in the same memory. */
    public Tensor reshape(long... newShape) {
        if (product(newShape) != elements()) {
            throw new IllegalArgumentException(
                    "shape %s has %d elements, expected the %d of %s"
                            .formatted(
                                    Arrays.toString(newShape),
                                    product(newShape),
                                    elements(),
                                    Arrays.toString(shape)));
        }
        struct();
        return new Tensor(owner, memory, newShape);
    }

    /** Slices [first, first + count) along the first dimension, in the same memory. */
    public Tensor slice(long first, long count) {
        if (first < 0 || count < 1 || first > shape[0] - count) {
            throw new IllegalArgumentException(
                    "slices %d to %d were asked for, expected slices of 0 to %d"
                            .formatted(first, first + count - 1, shape[0] - 1));
        }
        struct();
        long[] newShape = shape.clone();
        newShape[0] = count;
        long offset = first * (bytes() / shape[0]);
        Pointer start = new BytePointer(memory).getPointer(offset);
        return new Tensor(owner, start, newShape);
    }

    /** Copies from a direct buffer, whose remaining bytes are as many as this tensor's. */
    public void upload(ByteBuffer host) {
        requireHost(host);
        Native.check(
                SanaVideoAbi.sv_upload(context.handle(), data(), new BytePointer(host), bytes()),
                "upload");
    }

    /** Copies into a direct buffer, whose remaining bytes are as many as this tensor's. */
    public void download(ByteBuffer host) {
        requireHost(host);
        Native.check(
                SanaVideoAbi.sv_download(context.handle(), new BytePointer(host), data(), bytes()),
                "download");
    }

    private void requireHost(ByteBuffer host) {
        if (!host.isDirect() || host.remaining() != bytes()) {
            throw new IllegalArgumentException(
                    "a %s buffer of %d bytes was given, expected a direct one of %d bytes"
                            .formatted(
                                    host.isDirect() ? "direct" : "heap",
                                    host.remaining(),
                                    bytes()));
        }
    }

    /** Copies elements in; a bf16 tensor takes them rounded to nearest even. */
    public void upload(float... values) {
        if (values.length != elements()) {
            throw new IllegalArgumentException(
                    "%d values were given, expected %d".formatted(values.length, elements()));
        }
        if (dtype != DType.F32) {
            try (Tensor wide = context.tensor(DType.F32, shape)) {
                wide.upload(values);
                context.ops().convert(wide, this);
            }
            return;
        }
        try (HostMemory host = new HostMemory(Math.toIntExact(bytes()))) {
            ByteBuffer buffer = host.buffer().order(ByteOrder.nativeOrder());
            buffer.asFloatBuffer().put(values);
            upload(buffer);
        }
    }

    /** The elements of an f32 or bf16 tensor. */
    public float[] toFloats() {
        if (dtype != DType.F32) {
            try (Tensor wide = context.tensor(DType.F32, shape)) {
                context.ops().convert(this, wide);
                return wide.toFloats();
            }
        }
        float[] values = new float[Math.toIntExact(elements())];
        try (HostMemory host = new HostMemory(Math.toIntExact(bytes()))) {
            ByteBuffer buffer = host.buffer().order(ByteOrder.nativeOrder());
            download(buffer);
            buffer.asFloatBuffer().get(values);
        }
        return values;
    }

    /** Copies another tensor's elements; same dtype and number of elements, no overlap. */
    public void copyFrom(Tensor other) {
        if (other.dtype != dtype || other.elements() != elements()) {
            throw new IllegalArgumentException("%s cannot be copied to %s".formatted(other, this));
        }
        Native.check(SanaVideoAbi.sv_copy(context.handle(), data(), other.data(), bytes()), "copy");
    }

    /** Sets every element to 0. */
    public void clear() {
        Native.check(SanaVideoAbi.sv_clear(context.handle(), data(), bytes()), "clear");
    }

    /** Where the elements are on the device: for libraries that work between ops. */
    public Pointer data() {
        struct();
        return memory;
    }

    TensorStruct struct() {
        if (struct == null) {
            throw new IllegalStateException("this tensor is closed");
        }
        return struct;
    }

    /** Frees the memory, and with it every view; closing a view ends that view alone. */
    @Override
    public void close() {
        if (struct == null) {
            return;
        }
        struct.deallocate();
        struct = null;
        if (owner != this) {
            owner.views.remove(this);
            return;
        }
        for (Tensor view : List.copyOf(views)) {
            view.close();
        }
        Native.check(
                scratch
                        ? SanaVideoAbi.sv_give_scratch(context.handle(), memory)
                        : SanaVideoAbi.sv_free(context.handle(), memory),
                "tensor");
        context.disown(this);
    }

    @Override
    public String toString() {
        return "Tensor[" + dtype + " " + Arrays.toString(shape) + "]";
    }
}
