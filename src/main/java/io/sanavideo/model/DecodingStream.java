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

    /**
     * How many latent frames back a stream remembers: pictures, and what is kept for those to come,
     * depend on none before.
     */
    int reach();

    /**
     * Takes up a clip in its middle, on a new stream: what follows equals what it would be had all
     * of the clip been decoded. Layers near the pictures look back less far than those near the
     * latents, and run for fewer of the frames.
     *
     * @param before normalised f32 [frames, height, width, latentChannels], the clip's frames right
     *     before the one that {@link #decode} is given next: {@link #reach()} of them, or all
     */
    void recall(Tensor before);

    /** Ends the clip: hands on the pictures that are still to come. */
    void finish(Consumer<Tensor> pictures);

    @Override
    void close();
}
