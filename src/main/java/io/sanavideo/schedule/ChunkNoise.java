package io.sanavideo.schedule;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The noise of a long video, which depends on where in the video it is needed and not on what was
 * drawn before: a chunk can be made again, or made after a pause, from the same noise.
 *
 * <p>For chunk c of beat b after s steps it is what {@link TorchRandom} draws from a seed of 32
 * bits: the last four bytes, big-endian, of the SHA-256 of the four numbers seed, b, c, s, each as
 * eight bytes, big-endian. Step 0 is the noise that a chunk begins as; a sampler that mixes fresh
 * noise in takes that of step s after its s-th step. Beats, and chunks within a beat, count from 0.
 *
 * @param seed of the video, any value
 */
public record ChunkNoise(long seed) {
    private static final int NUMBERS = 4;

    /** The seed of PyTorch's generator, 0 to 2^32 - 1. */
    public long seedOf(long beat, long chunk, long step) {
        ByteBuffer place = ByteBuffer.allocate(NUMBERS * Long.BYTES);
        place.putLong(seed).putLong(beat).putLong(chunk).putLong(step);
        byte[] hash;
        try {
            hash = MessageDigest.getInstance("SHA-256").digest(place.array());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        return Integer.toUnsignedLong(ByteBuffer.wrap(hash).getInt(hash.length - Integer.BYTES));
    }

    /** So many normal numbers, in the order in which PyTorch draws them: channels first. */
    public float[] draw(long beat, long chunk, long step, long count) {
        return TorchRandom.randn(seedOf(beat, chunk, step), count);
    }
}
