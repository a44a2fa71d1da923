package io.sanavideo.weights;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.sanavideo.NumericsException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Weight;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/** Packs the rows of weights, a block of them at a time. On a dry context it does nothing. */
final class RowPacker {
    private final Context context;
    private final DType compute;
    private final Staging staging;
    private final LongConsumer progress;

    /**
     * @param compute what weights are stored as
     * @param progress told the bytes of each block that was packed
     */
    RowPacker(Context context, DType compute, Staging staging, LongConsumer progress) {
        this.context = context;
        this.compute = compute;
        this.staging = staging;
        this.progress = progress;
    }

    /** Packs the first rows of a tensor, a block of them at a time, from a row of the weight on. */
    void pack(Weight weight, long firstRow, StoredTensor stored, long rows) {
        if (context.isDry()) {
            return;
        }
        long rowBytes = stored.bytes() / stored.shape().get(0);
        if (rowBytes > Integer.MAX_VALUE) {
            throw WeightLoader.fault(
                    stored, 0, "a row has %d bytes, expected less than 2^31".formatted(rowBytes));
        }
        ByteBuffer buffer = staging.buffer(rowBytes);
        long blockRows = buffer.capacity() / rowBytes;
        for (long row = 0; row < rows; row += blockRows) {
            long count = Math.min(blockRows, rows - row);
            ByteBuffer block = buffer.clear().limit((int) (count * rowBytes));
            stored.read(row * rowBytes, block);
            block.flip();
            try {
                weight.pack(firstRow + row, count, block, stored.dtype());
            } catch (NumericsException e) {
                nameElement(stored, row * rowBytes, block);
                throw e;
            }
            progress.accept(count * rowBytes);
        }
    }

    /** Packs the sum of a tensor and what is added to it, in f32. */
    void packSum(Weight weight, long firstRow, StoredTensor stored, List<LoraTerm> terms) {
        if (context.isDry()) {
            return;
        }
        long rows = stored.shape().get(0);
        AdaptedRows sums = new AdaptedRows(stored, compute, terms);
        packComputed(weight, firstRow, rows, sums.columns(), sums);
        progress.accept(stored.bytes());
    }

    /** Packs rows that are computed, in f32, from a row of the weight on. */
    void packComputed(Weight weight, long firstRow, long rows, int columns, Rows source) {
        if (context.isDry()) {
            return;
        }
        ByteBuffer buffer = staging.buffer((long) columns * Float.BYTES);
        int blockRows = buffer.capacity() / (columns * Float.BYTES);
        for (long row = 0; row < rows; row += blockRows) {
            int count = (int) Math.min(blockRows, rows - row);
            long first = row;
            ByteBuffer block = buffer.slice(0, count * columns * Float.BYTES);
            FloatBuffer floats = block.order(ByteOrder.nativeOrder()).asFloatBuffer();
            IntStream.range(0, count)
                    .parallel()
                    .forEach(
                            i -> {
                                float[] values = new float[columns];
                                source.fill(first + i, values);
                                floats.put(i * columns, values);
                            });
            weight.pack(firstRow + row, count, block, DType.F32);
        }
    }

    /** Packs rows that are NVFP4, from a row of the weight on. */
    void packNvfp4(
            Weight weight,
            long firstRow,
            StoredTensor codes,
            StoredTensor scales,
            float globalScale) {
        if (context.isDry()) {
            return;
        }
        long rows = codes.shape().get(0);
        int codeBytes = Math.toIntExact(codes.bytes() / rows);
        int scaleBytes = Math.toIntExact(scales.bytes() / rows);
        ByteBuffer buffer = staging.buffer(codeBytes + scaleBytes);
        int blockRows = buffer.capacity() / (codeBytes + scaleBytes);
        for (long row = 0; row < rows; row += blockRows) {
            int count = (int) Math.min(blockRows, rows - row);
            ByteBuffer codeBlock = buffer.slice(0, count * codeBytes);
            ByteBuffer scaleBlock = buffer.slice(count * codeBytes, count * scaleBytes);
            codes.read(row * codeBytes, codeBlock);
            scales.read(row * scaleBytes, scaleBlock);
            try {
                weight.packNvfp4(
                        firstRow + row, count, codeBlock.flip(), scaleBlock.flip(), globalScale);
            } catch (NumericsException e) {
                throw WeightLoader.fault(scales, row * scaleBytes, e.getMessage());
            }
            progress.accept((long) count * (codeBytes + scaleBytes));
        }
    }

    /** Throws for the first element of a refused block that the compute dtype cannot hold. */
    private void nameElement(StoredTensor stored, long offset, ByteBuffer block) {
        for (ByteBuffer rest = block.duplicate().order(LITTLE_ENDIAN); rest.hasRemaining(); ) {
            long element = (offset + rest.position()) / stored.dtype().bytes();
            WeightLoader.requireFinite(
                    stored, element, StoredTensor.nextFloat(stored.dtype(), rest), compute);
        }
    }
}
