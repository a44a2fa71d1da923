package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;

/**
 * The three newest frames of a stream, as a convolution over three frames reads them. Before the
 * first frame stand zeros.
 */
class NewestFrames {
    private static final int FRAMES = 3;

    /** [3, height, width, channels], oldest first. */
    final Tensor frames;

    /** [1, height, width, channels]: the newest, where the next frame is written. */
    final Tensor newest;

    final Tensor middle;
    final Tensor oldest;

    NewestFrames(Scope scope, DType dtype, long height, long width, long channels) {
        frames = scope.tensor(dtype, FRAMES, height, width, channels);
        newest = frames.slice(2, 1);
        middle = frames.slice(1, 1);
        oldest = frames.slice(0, 1);
        oldest.clear();
        middle.clear();
    }

    /** Makes the newest frame the middle one, so that the next can be written. */
    void advance() {
        oldest.copyFrom(middle);
        middle.copyFrom(newest);
    }
}
