package io.sanavideo;

import java.time.Duration;
import java.util.Locale;
import java.util.function.Supplier;

/** Where a call stands: handed to a {@link ProgressListener} at each step of each phase. */
public final class Progress {
    /** What a call does, in this order. */
    public enum Phase {
        /** Measures which kernels are fastest, once for each card and size. */
        MEASURE,
        LOAD,
        ENCODE,
        DENOISE,
        DECODE,
        /** Denoises and decodes a long video's chunks, one after the other. */
        CHUNKS,
        WRITE,
        /** Makes NVFP4 weights; its steps are their elements. */
        QUANTIZE
    }

    private final Phase phase;
    private final long step;
    private final long total;
    private final Duration elapsed;
    private final Supplier<Latents> latents;

    public Progress(
            Phase phase, long step, long total, Duration elapsed, Supplier<Latents> latents) {
        this.phase = phase;
        this.step = step;
        this.total = total;
        this.elapsed = elapsed;
        this.latents = latents;
    }

    public Phase phase() {
        return phase;
    }

    /**
     * Steps of this phase that are done: 0 at its start, {@link #total()} at its end. Those of
     * {@link Phase#LOAD} are bytes of weights.
     */
    public long step() {
        return step;
    }

    /** Steps of this phase. */
    public long total() {
        return total;
    }

    /** Time since the phase began. */
    public Duration elapsed() {
        return elapsed;
    }

    /** Time left in this phase at the pace so far; zero before the first step is done. */
    public Duration remaining() {
        return step == 0 ? Duration.ZERO : elapsed.multipliedBy(total - step).dividedBy(step);
    }

    /**
     * A copy of the latents as they are now, for a preview ({@link SanaVideo#decode}).
     *
     * @throws IllegalStateException outside {@link Phase#DENOISE}
     */
    public Latents latents() {
        if (latents == null) {
            throw new IllegalStateException(
                    "there are latents only while denoising, this is " + this);
        }
        return latents.get();
    }

    @Override
    public String toString() {
        return "%s %d/%d".formatted(phase.name().toLowerCase(Locale.ROOT), step, total);
    }
}
