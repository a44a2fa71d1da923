package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;

/**
 * The newest frames of a stream whose ends are repeated. A causal convolution makes frame t of t -
 * 2, t - 1 and t, with the first frame twice in front of the clip; one that looks ahead makes it of
 * t - 1, t and t + 1, with the first frame once in front and the last one once behind.
 *
 * <p>The frame that comes next is written to {@link #newest}, then {@link #push} says whether there
 * is a frame to be convolved; after that {@link #advance} makes room.
 */
final class FrameWindow extends NewestFrames {
    /** The frame that the convolution makes one of. */
    final Tensor current;

    private final boolean causal;
    private boolean empty = true;

    FrameWindow(Scope scope, DType dtype, boolean causal, long height, long width, long channels) {
        super(scope, dtype, height, width, channels);
        this.causal = causal;
        current = causal ? newest : middle;
    }

    /** The next frame was written. Returns whether there is one to be convolved. */
    boolean push() {
        if (!empty) {
            return true;
        }
        empty = false;
        middle.copyFrom(newest);
        oldest.copyFrom(newest);
        return causal;
    }

    /** There are no more frames. Returns whether one is still to be convolved. */
    boolean finish() {
        // The last frame still stands as the newest one: it is its own successor.
        return !causal && !empty;
    }
}
