package io.sanavideo.runtime;

import io.sanavideo.binding.Nvfp4MatrixStruct;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;

/**
 * Rows of NVFP4 numbers on a device, slab by slab of 64 columns as products read them: {@code
 * sv_nvfp4_matrix}. Its memory is another's. The op that writes it says which global scale it has;
 * windows of its rows ({@link #rows}) have the same.
 */
public final class Nvfp4Matrix implements AutoCloseable {
    private static final int SLAB = 64;
    private static final int CODE_BYTES = 32;
    private static final int SCALE_BYTES = 4;

    private final Tensor memory;
    private final Nvfp4Matrix owner;
    private final long firstRow;
    private final long rows;
    private final long columns;
    private final long slabRows;
    private final Nvfp4MatrixStruct struct = new Nvfp4MatrixStruct();
    private float globalScale;

    /**
     * @param memory u8, at least {@link #bytes} of them
     */
    public Nvfp4Matrix(Tensor memory, long rows, long columns) {
        if (memory.dtype() != DType.U8 || memory.elements() < bytes(rows, columns)) {
            throw new IllegalArgumentException(
                    "memory is %s, expected at least %d elements of U8"
                            .formatted(memory, bytes(rows, columns)));
        }
        this.memory = memory;
        this.owner = this;
        this.firstRow = 0;
        this.rows = rows;
        this.columns = columns;
        this.slabRows = rows;
    }

    private Nvfp4Matrix(Nvfp4Matrix owner, long firstRow, long rows) {
        this.memory = owner.memory;
        this.owner = owner;
        this.firstRow = firstRow;
        this.rows = rows;
        this.columns = owner.columns;
        this.slabRows = owner.slabRows;
    }

    /** Bytes that a matrix takes. */
    public static long bytes(long rows, long columns) {
        return slabs(columns) * rows * (CODE_BYTES + SCALE_BYTES);
    }

    private static long slabs(long columns) {
        return (columns + SLAB - 1) / SLAB;
    }

    /** Rows [first, first + count), in the same memory. */
    public Nvfp4Matrix rows(long first, long count) {
        if (first < 0 || count < 1 || first > rows - count) {
            throw new IllegalArgumentException(
                    "rows %d to %d were asked for, expected rows of 0 to %d"
                            .formatted(first, first + count - 1, rows - 1));
        }
        return new Nvfp4Matrix(owner, firstRow + first, count);
    }

    /**
     * Copies in what was put in slabs elsewhere: all codes, then all scales.
     *
     * @param slabs a direct buffer of as many bytes as the memory has
     * @param scale what the numbers are multiplied by
     */
    public void upload(ByteBuffer slabs, float scale) {
        if (owner != this) {
            throw new IllegalArgumentException(
                    "these are %d rows of a matrix, expected all of it".formatted(rows));
        }
        memory.upload(slabs);
        globalScale = scale;
    }

    /** Where it lies. */
    public Tensor memory() {
        return memory;
    }

    public long rows() {
        return rows;
    }

    public long columns() {
        return columns;
    }

    /** What the numbers are multiplied by, as the last op that wrote them said. */
    public float globalScale() {
        return owner.globalScale;
    }

    Nvfp4MatrixStruct struct() {
        BytePointer codes = new BytePointer(memory.data());
        BytePointer scales = codes.getPointer(slabs(columns) * slabRows * CODE_BYTES);
        return struct.codes(codes.getPointer(firstRow * CODE_BYTES))
                .scales(scales.getPointer(firstRow * SCALE_BYTES))
                .rows(rows)
                .columns(columns)
                .slab_rows(slabRows)
                .global_scale(owner.globalScale);
    }

    /** As an output of this global scale. */
    Nvfp4MatrixStruct struct(float newScale) {
        owner.globalScale = newScale;
        return struct();
    }

    /** Ends this view of the memory, which stays. */
    @Override
    public void close() {
        struct.deallocate();
    }
}
