package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;
import java.util.function.Consumer;

/**
 * Decodes one clip as a stream, a latent frame at a time, with memory that does not depend on the
 * clip's length. What comes out equals decoding the clip as a whole.
 *
 * <p>Not safe for use by several threads.
 */
public interface DecodingStream extends AutoCloseable {
    /**
     * Decodes the next latent frame. The first makes one picture, every later one as many as the
     * VAE's temporal factor; a decoder that looks ahead hands them on with a delay.
     *
     * @param normalised f32 [1, height, width, latentChannels], one frame of the transformer's
     *     latents
     * @param pictures takes each picture in its turn, [height, width, 3] of the compute dtype:
     *     colours of -1 to 1, not clamped yet; the content is valid during the call only
     */
    void decode(Tensor normalised, Consumer<Tensor> pictures);

    /** Ends the clip: hands on the pictures that are still to come. */
    void finish(Consumer<Tensor> pictures);

    @Override
    void close();
}
