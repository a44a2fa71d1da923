package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;
import java.util.function.Consumer;

/**
 * Encodes one clip as a stream, a picture at a time, with memory that does not depend on the clip's
 * length. What comes out equals encoding the clip as a whole.
 *
 * <p>Not safe for use by several threads.
 */
public interface EncodingStream extends AutoCloseable {
    /**
     * Encodes the next picture. The first makes one latent frame; later ones make one for as many
     * pictures as the VAE's temporal factor.
     *
     * @param picture [height, width, 3] of the compute dtype: colours of -1 to 1
     * @param latents takes each latent frame in its turn, f32 [1, rows, columns, latentChannels]:
     *     the mean that the encoder predicts, normalised as the transformer takes it; the content
     *     is valid during the call only
     */
    void encode(Tensor picture, Consumer<Tensor> latents);

    /**
     * Ends the clip: hands on the latent frames that are still to come.
     *
     * @throws IllegalStateException when the last pictures are too few for a latent frame
     */
    void finish(Consumer<Tensor> latents);

    @Override
    void close();
}
