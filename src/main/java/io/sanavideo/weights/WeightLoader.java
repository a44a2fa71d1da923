package io.sanavideo.weights;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Brings the tensors of a checkpoint onto a device, through one buffer of a few megabytes, so that
 * host memory never holds a weight as well. Owns what it loads: {@link #close} frees it. The
 * checkpoint is the caller's and may be closed after {@link #finish}. Not safe for use by several
 * threads.
 *
 * <p>Files may hold F32, F16 or BF16. Every method throws a {@link ModelFormatException} naming
 * file and tensor when the tensor is missing, has another shape or dtype, or holds an element that
 * is NaN, infinite or beyond the range of the dtype it is loaded as, then with the element's index.
 */
public final class WeightLoader implements AutoCloseable {
    /**
     * A tensor of the checkpoint and the shape it must have.
     *
     * @param terms what is added to it, in f32
     */
    public record Part(String name, List<LoraTerm> terms, long... shape) {
        public Part(String name, long... shape) {
            this(name, List.of(), shape);
        }
    }

    /** The tensors of a weight that the checkpoint holds as NVFP4. */
    public record Nvfp4Part(String codes, String scales, String globalScale) {}

    /** Elements of a byte of codes, and of a byte of scales. */
    private static final int CODES = 2;

    private static final int SCALES = 16;

    private static final Set<DType> WEIGHT_DTYPES = EnumSet.of(DType.F32, DType.F16, DType.BF16);
    private static final int PICTURE_KERNEL = 4; // dimensions: out, in, height, width

    private final Context context;
    private final Checkpoint checkpoint;
    private final DType compute;
    private final LongConsumer progress;
    private final List<Weight> weights = new ArrayList<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private final Staging staging;
    private final RowPacker packer;

    /**
     * A loader of one component.
     *
     * @param compute what weights and tables are stored as on the device: F32 or BF16
     * @param progress told the bytes of each block of a tensor that was loaded
     */
    public WeightLoader(
            Context context, Checkpoint checkpoint, DType compute, LongConsumer progress) {
        if (compute != DType.F32 && compute != DType.BF16) {
            throw new IllegalArgumentException("compute is " + compute + ", expected F32 or BF16");
        }
        this.context = context;
        this.checkpoint = checkpoint;
        this.compute = compute;
        this.progress = progress;
        staging = new Staging();
        packer = new RowPacker(context, compute, staging, progress);
    }

    /**
     * A packed weight of the compute dtype. Dimensions beyond those of the kind are merged into its
     * last: a 1x1 convolution [out, in, 1, 1] or a patch embedding [out, in, frames, height, width]
     * is a LINEAR weight [out, in * ...] of the same elements. A convolution of pictures, [out, in,
     * height, width], is a CONVOLUTION weight with a single kernel frame.
     *
     * @param shape as it stands in the file
     */
    public Weight weight(WeightKind kind, String name, long... shape) {
        return merged(kind, new Part(name, shape));
    }

    /**
     * One packed weight of several tensors that differ in rows alone: the rows of all, in order.
     */
    public Weight merged(WeightKind kind, Part... parts) {
        long[] shape = fitted(mergedShape(parts), rank(kind));
        Weight weight = context.weight(kind, compute, shape);
        weights.add(weight);
        long firstRow = 0;
        for (Part part : parts) {
            StoredTensor stored = require(part);
            long rows = stored.shape().get(0);
            if (part.terms.isEmpty()) {
                packer.pack(weight, firstRow, stored, rows);
            } else {
                packer.packSum(weight, firstRow, stored, part.terms);
            }
            firstRow += rows;
        }
        return weight;
    }

    /** A packed weight of the first rows of a tensor. */
    public Weight firstRows(WeightKind kind, Part part, long rows) {
        long[] shape = fitted(part.shape, rank(kind));
        shape[0] = rows;
        Weight weight = context.weight(kind, compute, shape);
        weights.add(weight);
        packer.pack(weight, 0, require(part), rows);
        return weight;
    }

    /** A packed LINEAR weight [rows, columns] of the compute dtype, whose rows are computed. */
    public Weight computed(long rows, int columns, Rows source) {
        Weight weight = context.weight(WeightKind.LINEAR, compute, rows, columns);
        weights.add(weight);
        packer.packComputed(weight, 0, rows, columns, source);
        return weight;
    }

    /** Elements of tensors, one after another, for small ones. */
    public float[] values(Part... parts) {
        float[] all = new float[0];
        for (Part part : parts) {
            StoredTensor stored = require(part);
            float[] values = stored.toFloats();
            for (int i = 0; i < values.length; i++) {
                requireFinite(stored, i, values[i], compute);
            }
            int before = all.length;
            all = Arrays.copyOf(all, before + values.length);
            System.arraycopy(values, 0, all, before, values.length);
        }
        return all;
    }

    /**
     * A weight that stays NVFP4, of the rows of several, in order.
     *
     * @param kind LINEAR or TEMPORAL
     * @param partRows rows of each part
     * @param in input channels
     * @param taps frames that a temporal weight reads, which come before channels; else 1
     */
    public Weight nvfp4(WeightKind kind, int partRows, int in, int taps, List<Nvfp4Part> parts) {
        long out = (long) partRows * parts.size();
        Weight weight =
                kind == WeightKind.LINEAR
                        ? context.nvfp4Weight(kind, out, in)
                        : context.nvfp4Weight(kind, out, in, taps);
        weights.add(weight);
        long firstRow = 0;
        for (Nvfp4Part part : parts) {
            StoredTensor codes = checkpoint.require(part.codes, packed(partRows, in, taps, CODES));
            StoredTensor scales =
                    checkpoint.require(part.scales, packed(partRows, in, taps, SCALES));
            requireDType(codes, DType.U8);
            requireDType(scales, DType.F8_E4M3);
            packer.packNvfp4(weight, firstRow, codes, scales, globalScale(part.globalScale));
            firstRow += partRows;
        }
        return weight;
    }

    private static long[] packed(int rows, int in, int taps, int elements) {
        return taps == 1
                ? new long[] {rows, in / elements}
                : new long[] {rows, taps, in / elements};
    }

    private float globalScale(String name) {
        float scale = scalar(name);
        if (!(scale > 0) || Float.isInfinite(scale)) {
            throw fault(
                    checkpoint.require(name),
                    0,
                    "is %s, expected a finite number above 0".formatted(scale));
        }
        return scale;
    }

    /** The number that a scalar holds. */
    public float scalar(String name) {
        StoredTensor stored = checkpoint.require(name);
        requireDType(stored, DType.F32);
        return stored.toFloats()[0];
    }

    private static void requireDType(StoredTensor stored, DType expected) {
        if (stored.dtype() != expected) {
            throw fault(stored, 0, "dtype is %s, expected %s".formatted(stored.dtype(), expected));
        }
    }

    /** An F32 tensor: biases, norms, modulation tables. */
    public Tensor vector(String name, long... shape) {
        return mergedVector(new Part(name, shape));
    }

    /** One F32 tensor of several that differ in their first dimension alone, one after another. */
    public Tensor mergedVector(Part... parts) {
        return tensor(DType.F32, parts);
    }

    /** A tensor of the compute dtype: token embeddings [vocabulary, channels]. */
    public Tensor table(String name, long... shape) {
        return tensor(compute, new Part(name, shape));
    }

    /** Everything is loaded: frees what only loading needs. */
    public void finish() {
        staging.close();
    }

    /** Frees every weight and tensor that was loaded. */
    @Override
    public void close() {
        finish();
        weights.forEach(Weight::close);
        tensors.forEach(Tensor::close);
    }

    private StoredTensor require(Part part) {
        StoredTensor stored = checkpoint.require(part.name, part.shape);
        if (!WEIGHT_DTYPES.contains(stored.dtype())) {
            throw fault(
                    stored,
                    0,
                    "dtype is %s, expected one of %s".formatted(stored.dtype(), WEIGHT_DTYPES));
        }
        return stored;
    }

    private Tensor tensor(DType dtype, Part... parts) {
        Tensor tensor = context.tensor(dtype, mergedShape(parts));
        tensors.add(tensor);
        try (Tensor flat = tensor.reshape(tensor.elements())) {
            long first = 0;
            for (Part part : parts) {
                first += upload(flat, first, require(part));
            }
        }
        return tensor;
    }

    /** Converts and uploads all elements of a tensor, a block at a time; returns their number. */
    private long upload(Tensor flat, long first, StoredTensor stored) {
        if (context.isDry()) {
            return stored.elements();
        }
        ByteBuffer buffer = staging.buffer(0);
        int half = buffer.capacity() / 2 / Float.BYTES * Float.BYTES;
        ByteBuffer raw = buffer.slice(0, half).order(LITTLE_ENDIAN);
        ByteBuffer converted = buffer.slice(half, half).order(ByteOrder.nativeOrder());
        int elementBytes = stored.dtype().bytes();
        long blockElements = half / Float.BYTES;
        for (long done = 0; done < stored.elements(); done += blockElements) {
            int count = (int) Math.min(blockElements, stored.elements() - done);
            stored.read(done * elementBytes, raw.clear().limit(count * elementBytes));
            raw.flip();
            converted.clear();
            for (int i = 0; i < count; i++) {
                float value = StoredTensor.nextFloat(stored.dtype(), raw);
                requireFinite(stored, done + i, value, flat.dtype());
                if (flat.dtype() == DType.BF16) {
                    int bits = Float.floatToIntBits(DType.roundToBf16(value));
                    converted.putShort((short) (bits >>> 16));
                } else {
                    converted.putFloat(value);
                }
            }
            try (Tensor target = flat.slice(first + done, count)) {
                target.upload(converted.flip());
            }
            progress.accept((long) count * elementBytes);
        }
        return stored.elements();
    }

    /** Requires that a number fits into a dtype. */
    static void requireFinite(StoredTensor stored, long element, float value, DType as) {
        float held = as == DType.BF16 ? DType.roundToBf16(value) : value;
        if (!Float.isFinite(held)) {
            throw fault(
                    stored,
                    element * stored.dtype().bytes(),
                    "element %d is %s, expected a finite number that %s can hold"
                            .formatted(element, value, as));
        }
    }

    static ModelFormatException fault(StoredTensor stored, long offset, String what) {
        return SafetensorsHeader.fault(
                stored.file().path(), stored.name(), stored.begin() + offset, what);
    }

    private static long[] mergedShape(Part... parts) {
        long[] shape = parts[0].shape.clone();
        for (int i = 1; i < parts.length; i++) {
            long[] other = parts[i].shape;
            if (!Arrays.equals(shape, 1, shape.length, other, 1, other.length)) {
                throw new IllegalArgumentException(
                        "'%s' of shape %s cannot be merged with '%s' of shape %s"
                                .formatted(
                                        parts[0].name,
                                        Arrays.toString(parts[0].shape),
                                        parts[i].name,
                                        Arrays.toString(other)));
            }
            shape[0] += other[0];
        }
        return shape;
    }

    private static int rank(WeightKind kind) {
        return switch (kind) {
            case LINEAR -> 2;
            case TEMPORAL -> 3;
            case UPSAMPLE, DEPTHWISE -> 4;
            case CONVOLUTION -> 5;
        };
    }

    /** A file's shape as one of so many dimensions. */
    private static long[] fitted(long[] shape, int rank) {
        if (shape.length == PICTURE_KERNEL && rank == PICTURE_KERNEL + 1) {
            // A convolution of pictures is one of clips with a single kernel frame.
            return new long[] {shape[0], shape[1], 1, shape[2], shape[3]};
        }
        long[] fitted = Arrays.copyOf(shape, Math.min(rank, shape.length));
        for (int i = rank; i < shape.length; i++) {
            fitted[rank - 1] *= shape[i];
        }
        return fitted;
    }
}
