package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;

/** A VAE's way from pictures to latents: weights on a device, packed once. */
public interface VaeEncoder extends AutoCloseable {
    Context context();

    /** What weights and activations are, F32 or BF16. */
    DType compute();

    /**
     * Buffers to encode one clip with.
     *
     * @param height rows of a picture, a multiple of the VAE's spatial factor
     * @param width columns of a picture, a multiple of it as well
     * @throws IllegalArgumentException when the size is not such
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    EncodingStream stream(int height, int width);

    @Override
    void close();
}
