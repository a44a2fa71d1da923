package io.sanavideo.pipeline;

import io.sanavideo.Latents;

/**
 * What is kept of a film's chunks as they are made, so that another run can go on after them.
 * Chunks are numbered through the film, from 0.
 */
interface ChunkLog {
    /** Keeps nothing: every film is made from its beginning. */
    ChunkLog NONE =
            new ChunkLog() {
                @Override
                public int done() {
                    return 0;
                }

                @Override
                public boolean hasLatents(int chunk) {
                    return false;
                }

                @Override
                public Latents latents(int chunk) {
                    throw new IllegalStateException("nothing was kept of chunk " + chunk);
                }

                @Override
                public void restore(ChunkDenoiser denoiser, ShotJoiner joiner) {
                    throw new IllegalStateException("nothing was kept");
                }

                @Override
                public void add(int chunk, ChunkDenoiser denoiser, ShotJoiner joiner) {}

                @Override
                public void addDecoded(int chunk, ShotJoiner joiner) {}
            };

    /** How many of the film's chunks are done: the next one that is made has this number. */
    int done();

    /**
     * Whether a chunk that is not done has its latents already, and so have all of its shot: it is
     * to be decoded alone.
     */
    boolean hasLatents(int chunk);

    /** The latents of a chunk that is done, or has them. */
    Latents latents(int chunk);

    /**
     * Puts back what the last chunk that is done has left.
     *
     * @param denoiser remembers what came before, unless the next chunk begins a shot
     * @param joiner at the beginning of the next chunk's shot
     */
    void restore(ChunkDenoiser denoiser, ShotJoiner joiner);

    /**
     * Keeps a chunk whose pictures were handed on.
     *
     * @param denoiser as it will go on from there; it has the chunk's latents
     * @param joiner likewise
     */
    void add(int chunk, ChunkDenoiser denoiser, ShotJoiner joiner);

    /** Keeps a chunk whose latents were there, and whose pictures were handed on. */
    void addDecoded(int chunk, ShotJoiner joiner);
}
