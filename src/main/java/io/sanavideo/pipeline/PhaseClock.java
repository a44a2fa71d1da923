package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.Progress;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import java.time.Duration;
import java.util.function.Supplier;

/** One phase of a call: reports its steps with the time since it began. */
final class PhaseClock {
    private final ProgressListener listener;
    private final Phase phase;
    private final long total;
    private final Supplier<Latents> latents;
    private final long start = System.nanoTime();

    /** Reports step 0. {@code latents} is null where there are none to look at. */
    PhaseClock(ProgressListener listener, Phase phase, long total, Supplier<Latents> latents) {
        this.listener = listener;
        this.phase = phase;
        this.total = total;
        this.latents = latents;
        done(0);
    }

    /** Reports that so many steps are done. */
    void done(long step) {
        listener.onProgress(new Progress(phase, step, total, elapsed(), latents));
    }

    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
