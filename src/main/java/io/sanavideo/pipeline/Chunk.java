package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import java.util.Objects;

/**
 * A chunk of a long video, to be made.
 *
 * @param seed of noise that is drawn
 * @param beat which beat of the story it belongs to, from 0: with {@code seed} and {@code number}
 *     it says which noise is the chunk's
 * @param number which chunk of the beat it is, from 0
 * @param frames latent frames, a multiple of the transformer's patch size
 * @param text its prompt, and the negative one where it is guided; one object for all chunks of a
 *     prompt, not closed by who makes the chunk
 * @param start how it begins
 * @param image the clean latent frame that it begins with and keeps, or null
 * @param noise the noise that it begins as; null to draw it
 */
public record Chunk(
        long seed,
        long beat,
        long number,
        int frames,
        Embeddings text,
        Start start,
        Latents image,
        Latents noise) {
    /** How a chunk begins. The first one always begins a video. */
    public enum Start {
        /** It goes on from what is remembered, as it is remembered. */
        CONTINUE,
        /**
         * The chunk before it is remembered anew under this one's prompt first, so that a change of
         * prompt is followed at once. Older ones stay as they are.
         */
        CARRY,
        /** Nothing is remembered: a video begins, at position 0. */
        CUT
    }

    public Chunk {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(start, "start");
    }
}
