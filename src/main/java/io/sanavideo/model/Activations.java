package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The buffers of one token grid and their views, shared by all blocks. For N tokens of width C and
 * a feed-forward of hidden width H = 3C they take about 5 N C elements of the compute dtype (the
 * residual stream, a normalised copy, and a scratch of 3 N C that holds in turn the merged
 * projection, the attention to the text, and the feed-forward), and N * headSize f32 numbers for
 * the rotation angles. At the released 480p size, 32,760 tokens in bf16, that is 0.75 GB; the
 * feed-forward's 6 N C intermediate numbers never exist at once, since frames pass through it group
 * by group. Where activations are quantised, their NVFP4 copies take 9/16 bytes an element of 2 N C
 * beside that.
 */
final class Activations implements AutoCloseable {
    /** Base of the rotary embedding's frequencies, which no config names. */
    private static final double ROPE_THETA = 10_000;

    /** Rows of a product below which its speed suffers. */
    private static final int GROUP_ROWS = 1024;

    /** Views start at multiples of 64 elements, so that they are aligned as allocations are. */
    private static final int ALIGNMENT = 64;

    /**
     * A few frames on their way through the feed-forward; rows are tokens. The matrices are what is
     * NVFP4 of them, null where nothing is quantised.
     */
    record FrameGroup(
            Tensor in,
            Nvfp4Matrix quantizedIn,
            Tensor invertedRows,
            Tensor invertedFrames,
            Tensor gatedFrames,
            Tensor gatedRows,
            Nvfp4Matrix quantizedGated,
            Tensor out,
            Nvfp4Matrix quantizedOut) {}

    private final Scope scope;

    /** [tokens, width]: the residual stream. */
    final Tensor stream;

    /** The same memory, [1, frames, pixels, width]. */
    final Tensor streamFrames;

    /**
     * [tokens, width]: normalised input of an attention or feed-forward, and attention's output.
     */
    final Tensor normed;

    /** The same memory, [1, tokens, width]. */
    final Tensor attended;

    /** [tokens, 3 * width]: merged queries, keys and values. */
    final Tensor qkv;

    /** The same memory, [1, tokens, 3, heads, headSize]. */
    final Tensor qkvHeads;

    /** f32 [tokens, 2] and the same memory, [1, tokens, 2]: sums of squares of queries and keys. */
    final Tensor squareSums;

    final Tensor squareSumsBatch;

    /** f32 [tokens, headSize / 2, 2] */
    final Tensor angles;

    /** [tokens, crossWidth]: queries of the attention to the text. */
    final Tensor crossQueries;

    /** The same memory, [tokens, crossHeads, crossHeadSize]. */
    final Tensor crossQueryHeads;

    /** f32 [tokens, 1] */
    final Tensor crossSquareSums;

    /** [tokens, crossWidth] */
    final Tensor crossAttended;

    /** What passes through the feed-forward together; their outputs make up {@code mixed}. */
    final List<FrameGroup> groups;

    /** [tokens, width]: the feed-forward before its temporal convolution. */
    final Tensor mixedRows;

    /** The same memory, [1, frames, pixels, width]. */
    final Tensor mixed;

    /** Of that the last frame, [pixels, width]. */
    final Tensor mixedLast;

    /**
     * [tokens, width] as NVFP4: normalised input, and attention's output; null where nothing is
     * quantised.
     */
    final Nvfp4Matrix quantizedNormed;

    /** [tokens, crossWidth], in the same memory: what the attention to the text returns. */
    final Nvfp4Matrix quantizedCrossAttended;

    /**
     * [tokens, width] as NVFP4: the residual stream, and the feed-forward before its convolution.
     */
    final Nvfp4Matrix quantizedStream;

    /** [tokens, inChannels * patchVolume] */
    final Tensor patches;

    /** [tokens, outChannels * patchVolume] */
    final Tensor predicted;

    /**
     * @param quantizes whether there are layers whose input is NVFP4
     */
    Activations(
            Context context,
            TransformerConfig config,
            DType compute,
            TokenGrid grid,
            boolean quantizes) {
        scope = new Scope(context);
        try {
            long tokens = grid.tokens();
            long width = config.width();
            long crossWidth = config.crossWidth();
            stream = scope.tensor(compute, tokens, width);
            streamFrames = stream.reshape(1, grid.frames(), grid.pixels(), width);
            normed = scope.tensor(compute, tokens, width);
            attended = normed.reshape(1, tokens, width);
            squareSums = scope.tensor(DType.F32, tokens, 2);
            squareSumsBatch = squareSums.reshape(1, tokens, 2);
            crossSquareSums = scope.tensor(DType.F32, tokens, 1);
            angles = scope.tensor(DType.F32, tokens, config.headSize() / 2, 2);
            setFirstFrame(context, grid, 0);

            int groupCount = Math.max(1, Math.min(grid.frames(), grid.tokens() / GROUP_ROWS));
            int groupFrames = (grid.frames() + groupCount - 1) / groupCount;
            long groupTokens = (long) groupFrames * grid.pixels();
            long hidden = config.hidden();
            long mixedSize = aligned(tokens * width);
            long invertedSize = aligned(groupTokens * 2 * hidden);
            long crossSize = aligned(tokens * crossWidth);
            long patchSize = Math.max(config.inChannels(), config.outChannels());
            long scratchSize =
                    max(
                            tokens * 3 * width,
                            crossSize + tokens * crossWidth,
                            mixedSize + invertedSize + groupTokens * hidden,
                            tokens * patchSize * config.patchVolume());
            Tensor scratch = scope.tensor(compute, scratchSize);

            qkv = view(scratch, 0, tokens, 3 * width);
            qkvHeads = qkv.reshape(1, tokens, 3, config.heads(), config.headSize());
            crossQueries = view(scratch, 0, tokens, crossWidth);
            crossQueryHeads =
                    crossQueries.reshape(tokens, config.crossHeads(), config.crossHeadSize());
            crossAttended = view(scratch, crossSize, tokens, crossWidth);
            mixedRows = view(scratch, 0, tokens, width);
            mixed = mixedRows.reshape(1, grid.frames(), grid.pixels(), width);
            mixedLast = mixedRows.slice(tokens - grid.pixels(), grid.pixels());
            patches = view(scratch, 0, tokens, (long) config.inChannels() * config.patchVolume());
            predicted =
                    view(scratch, 0, tokens, (long) config.outChannels() * config.patchVolume());
            quantizedNormed =
                    quantizes ? quantized(tokens, Math.max(width, crossWidth), width) : null;
            quantizedCrossAttended =
                    quantizes ? quantized(quantizedNormed, tokens, crossWidth) : null;
            quantizedStream = quantizes ? quantized(tokens, width, width) : null;
            Nvfp4Matrix quantizedGated = quantizes ? quantized(groupTokens, hidden, hidden) : null;
            groups = new ArrayList<>();
            for (int first = 0; first < grid.frames(); first += groupFrames) {
                int frames = Math.min(groupFrames, grid.frames() - first);
                long firstRow = (long) first * grid.pixels();
                long rows = (long) frames * grid.pixels();
                Tensor inverted = view(scratch, mixedSize, rows, 2 * hidden);
                Tensor gated = view(scratch, mixedSize + invertedSize, rows, hidden);
                groups.add(
                        new FrameGroup(
                                normed.slice(firstRow, rows),
                                window(quantizedNormed, firstRow, rows),
                                inverted,
                                inverted.reshape(frames, grid.height(), grid.width(), 2 * hidden),
                                gated.reshape(frames, grid.height(), grid.width(), hidden),
                                gated,
                                window(quantizedGated, 0, rows),
                                mixedRows.slice(firstRow, rows),
                                window(quantizedStream, firstRow, rows)));
            }
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    private Nvfp4Matrix quantized(long rows, long most, long columns) {
        Tensor memory = scope.tensor(DType.U8, Nvfp4Matrix.bytes(rows, most));
        return scope.own(new Nvfp4Matrix(memory, rows, columns));
    }

    /** Another in the same memory. */
    private Nvfp4Matrix quantized(Nvfp4Matrix same, long rows, long columns) {
        return scope.own(new Nvfp4Matrix(same.memory(), rows, columns));
    }

    private Nvfp4Matrix window(Nvfp4Matrix whole, long first, long rows) {
        return whole == null ? null : scope.own(whole.rows(first, rows));
    }

    private static long max(long first, long... others) {
        long largest = first;
        for (long other : others) {
            largest = Math.max(largest, other);
        }
        return largest;
    }

    private static long aligned(long elements) {
        return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static Tensor view(Tensor scratch, long offset, long rows, long columns) {
        return scratch.slice(offset, rows * columns).reshape(rows, columns);
    }

    /**
     * Makes the angles those of a grid that begins at a position. The references hold this table in
     * bf16, whatever they compute in.
     */
    void setFirstFrame(Context context, TokenGrid grid, long firstFrame) {
        Ops ops = context.ops();
        ops.ropeAngles(firstFrame, grid.frames(), grid.height(), grid.width(), ROPE_THETA, angles);
        try (Tensor rounded = context.tensor(DType.BF16, angles.shape())) {
            ops.convert(angles, rounded);
            ops.convert(rounded, angles);
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}
