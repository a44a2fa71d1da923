package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;

/**
 * Three consecutive frames of a stream, as a convolution over three frames reads them. A causal one
 * makes frame t of t - 2, t - 1 and t, with the first frame repeated twice in front of the clip;
 * one that looks ahead makes it of t - 1, t and t + 1, with the first frame repeated once in front
 * and the last one once behind.
 *
 * <p>The frame that comes next is written to {@link #newest}, then {@link #push} says whether the
 * window can be convolved; after that {@link #advance} makes room.
 */
final class FrameWindow {
    private static final int FRAMES = 3;

    /** [3, height, width, channels], oldest first. */
    final Tensor frames;

    /** [1, height, width, channels]: where the next frame is written. */
    final Tensor newest;

    /** The frame that the convolution makes one of. */
    final Tensor current;

    private final Tensor middle;
    private final Tensor oldest;
    private final boolean causal;
    private boolean empty = true;

    FrameWindow(Scope scope, DType dtype, boolean causal, long height, long width, long channels) {
        this.causal = causal;
        frames = scope.tensor(dtype, FRAMES, height, width, channels);
        newest = frames.slice(2, 1);
        middle = frames.slice(1, 1);
        oldest = frames.slice(0, 1);
        current = causal ? newest : middle;
    }

    /** The next frame was written. Returns whether the window is complete. */
    boolean push() {
        if (!empty) {
            return true;
        }
        empty = false;
        middle.copyFrom(newest);
        oldest.copyFrom(newest);
        return causal;
    }

    /** There are no more frames. Returns whether the window is to be convolved once more. */
    boolean finish() {
        // The last frame still stands as the newest one: it is its own successor.
        return !causal && !empty;
    }

    /** Makes room for the next frame. */
    void advance() {
        oldest.copyFrom(middle);
        middle.copyFrom(newest);
    }
}
