package io.sanavideo.pipeline;

import io.sanavideo.Progress;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import java.time.Duration;

/**
 * The chunks of a film as one phase: a chunk counts its denoising steps and one more for its
 * decoding.
 */
final class FilmClock implements ProgressListener {
    private final ProgressListener listener;
    private final int steps;
    private final long total;
    private final long start = System.nanoTime();
    private long done;

    /**
     * @param steps of a chunk
     * @param chunks of the film
     * @param chunksDone of these already
     */
    FilmClock(ProgressListener listener, int steps, int chunks, int chunksDone) {
        this.listener = listener;
        this.steps = steps;
        total = (long) (steps + 1) * chunks;
        done = (long) (steps + 1) * chunksDone;
        report(0, null);
    }

    /** Hears of a chunk's denoising. */
    @Override
    public void onProgress(Progress progress) {
        if (progress.step() > 0) {
            report(progress.step(), progress);
        }
    }

    /** A chunk's pictures are handed on. */
    void chunkDone() {
        done += steps + 1;
        report(0, null);
    }

    private void report(long step, Progress of) {
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        listener.onProgress(
                new Progress(
                        Phase.CHUNKS,
                        done + step,
                        total,
                        elapsed,
                        of == null ? null : of::latents));
    }
}
