package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one branch of a transformer, a prompt's, remembers of the chunks it has made: the state that
 * the next chunk reads, over all chunks so far or over the last few.
 *
 * <p>Over all of them it is one running sum. Over the last few, each chunk's own sums are kept and
 * added up anew, oldest first, for every chunk: nothing is ever subtracted, so that no rounding
 * stays behind. Either way memory does not grow with the number of chunks. The last frame is always
 * the newest chunk's. What the newest chunk itself has read is kept as well, so that it can be
 * remembered anew under another prompt.
 *
 * <p>After a call that has thrown it holds nothing that may be read: {@link #forget} or close it.
 */
public final class ChunkMemory implements AutoCloseable {
    /** A window over all chunks, as the released configurations write it. */
    public static final int ALL = -1;

    private final Scope scope;
    private final int window;

    /** What the next chunk reads; its last frames are those that all chunks' own states share. */
    private final ChunkState context;

    /** What the newest chunk has read. */
    private final ChunkState previous;

    /** Each chunk's own sums, chunk i at i modulo the window; empty over all chunks. */
    private final List<ChunkState> own = new ArrayList<>();

    private long chunks;
    private long frames;
    private long newestFrames;

    /**
     * An empty memory.
     *
     * @param height latent rows
     * @param width latent columns
     * @param window how many chunks it reaches back ({@code num_cached_chunks}), 1 or more, or
     *     {@link #ALL}
     * @throws IllegalArgumentException when the window or the size is none, or the network cannot
     *     go on from a chunk
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public ChunkMemory(SanaTransformer transformer, int height, int width, int window) {
        requireWindow(window);
        this.window = window;
        scope = new Scope(transformer.context());
        try {
            context = scope.own(new ChunkState(transformer, height, width));
            previous = scope.own(new ChunkState(transformer, height, width));
            for (int i = 0; i < window; i++) {
                own.add(scope.own(context.sharingFrames(transformer, height, width)));
            }
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    /**
     * Bytes that a memory takes.
     *
     * @param compute what the transformer computes in
     * @param height latent rows
     * @param width latent columns
     * @param window as for the constructor
     */
    public static long bytes(
            TransformerConfig config, DType compute, int height, int width, int window) {
        requireWindow(window);
        long sums = 2 + Math.max(0, window);
        return sums * ChunkState.sumBytes(config)
                + 2 * ChunkState.frameBytes(config, compute, height, width);
    }

    private static void requireWindow(int window) {
        if (window != ALL && window < 1) {
            throw new IllegalArgumentException(
                    "a window of %d chunks was asked for, expected 1 or more, or %d for all of them"
                            .formatted(window, ALL));
        }
    }

    /** What the next chunk reads; null when it is the first. */
    public ChunkState context() {
        return chunks == 0 ? null : context;
    }

    /** Latent frames before the next chunk: the absolute position of its first one. */
    public long frames() {
        return frames;
    }

    /**
     * Adds a chunk, by one run of the transformer over its clean latents at timestep 0.
     *
     * @param run for as many frames as the chunk has; it is left at the chunk's position
     * @param latents f32 [frames, height, width, channels], clean
     * @param text the prompt it is remembered under
     */
    public void remember(TransformerRun run, Tensor latents, TransformerText text) {
        if (chunks > 0) {
            previous.copyFrom(context);
        }
        chunks++;
        newestFrames = latents.size(0);
        frames += newestFrames;
        read(run, latents, text);
    }

    /**
     * Remembers the newest chunk once more in place of what it was remembered as: as if it had been
     * made under another prompt. Older chunks stay as they are.
     *
     * @param run for as many frames as the chunk has; it is left at the chunk's position
     * @param latents the newest chunk's, clean
     * @param text the prompt it is remembered under from now on
     * @throws IllegalStateException when there is none
     */
    public void rememberAnew(TransformerRun run, Tensor latents, TransformerText text) {
        if (chunks == 0) {
            throw new IllegalStateException("there is no chunk to be remembered anew");
        }
        if (latents.size(0) != newestFrames) {
            throw new IllegalArgumentException(
                    "latents of %d frames were given, expected the newest chunk's %d"
                            .formatted(latents.size(0), newestFrames));
        }
        read(run, latents, text);
    }

    private void read(TransformerRun run, Tensor latents, TransformerText text) {
        run.setFirstFrame(frames - newestFrames);
        ChunkState before = chunks > 1 ? previous : null;
        if (window == ALL) {
            run.remember(latents, text, before, context);
            if (before != null) {
                context.addSums(before);
            }
            return;
        }
        run.remember(latents, text, before, ownOf(chunks - 1));
        long oldest = Math.max(0, chunks - window);
        context.copySumsFrom(ownOf(oldest));
        for (long chunk = oldest + 1; chunk < chunks; chunk++) {
            context.addSums(ownOf(chunk));
        }
    }

    private ChunkState ownOf(long chunk) {
        return own.get((int) (chunk % window));
    }

    /**
     * How far a memory has come.
     *
     * @param chunks that it was told to remember
     * @param frames latent frames of them all
     * @param newestFrames latent frames of the newest
     */
    public record Extent(long chunks, long frames, long newestFrames) {}

    /** How far it has come; with {@link #tensors()} all that there is to keep of it. */
    public Extent extent() {
        return new Extent(chunks, frames, newestFrames);
    }

    /**
     * What it is made of, by names that do not change: to be written, or to be filled with what was
     * written of a memory of the same model, size and window, before {@link #restore}.
     */
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        put(tensors, "context", context);
        tensors.put("context.last_frames", context.lastFrames());
        put(tensors, "previous", previous);
        tensors.put("previous.last_frames", previous.lastFrames());
        for (int i = 0; i < own.size(); i++) {
            put(tensors, "own." + i, own.get(i));
        }
        return tensors;
    }

    private static void put(Map<String, Tensor> tensors, String name, ChunkState state) {
        tensors.put(name + ".values", state.values());
        tensors.put(name + ".keys", state.keys());
    }

    /** Takes up what {@link #tensors()} were filled with. */
    public void restore(Extent extent) {
        chunks = extent.chunks();
        frames = extent.frames();
        newestFrames = extent.newestFrames();
    }

    /** Forgets all chunks: the next is the first again, at position 0. */
    public void forget() {
        restore(new Extent(0, 0, 0));
    }

    @Override
    public void close() {
        scope.close();
    }
}
