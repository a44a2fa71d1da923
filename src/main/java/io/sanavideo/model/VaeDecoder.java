package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;

/** A VAE's way from latents to pictures: weights on a device, packed once. */
public interface VaeDecoder extends AutoCloseable {
    Context context();

    /** What weights and activations are, F32 or BF16. */
    DType compute();

    /**
     * Buffers to decode one clip with.
     *
     * @param height rows of the latent
     * @param width columns of the latent
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    DecodingStream stream(int height, int width);

    @Override
    void close();
}
