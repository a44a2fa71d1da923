package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;

/**
 * The three newest frames of a stream, as a causal convolution over three frames reads them. Before
 * the first frame stand zeros.
 */
final class CausalWindow {
    private static final int FRAMES = 3;
    private static final int BLOCK_BYTES = 1 << 20;

    /** [3, height, width, channels], oldest first. */
    final Tensor frames;

    /** [1, height, width, channels]: the newest, where the next frame is written. */
    final Tensor newest;

    private final Tensor middle;
    private final Tensor oldest;

    CausalWindow(Scope scope, DType dtype, long height, long width, long channels) {
        frames = scope.tensor(dtype, FRAMES, height, width, channels);
        newest = frames.slice(2, 1);
        middle = frames.slice(1, 1);
        oldest = frames.slice(0, 1);
        clear(oldest);
        clear(middle);
    }

    private static void clear(Tensor tensor) {
        ByteBuffer zeros = ByteBuffer.allocateDirect(BLOCK_BYTES);
        long step = BLOCK_BYTES / tensor.dtype().bytes();
        try (Tensor elements = tensor.reshape(tensor.elements())) {
            for (long first = 0; first < elements.size(0); first += step) {
                try (Tensor block =
                        elements.slice(first, Math.min(step, elements.size(0) - first))) {
                    block.upload(zeros.clear().limit((int) block.bytes()));
                }
            }
        }
    }

    /** Makes the newest frame the middle one, so that the next can be written. */
    void advance() {
        oldest.copyFrom(middle);
        middle.copyFrom(newest);
    }
}
