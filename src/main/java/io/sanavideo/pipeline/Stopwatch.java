package io.sanavideo.pipeline;

import java.time.Duration;
import java.util.function.Supplier;

/** How long one piece of work took. */
final class Stopwatch {
    private long nanos;

    <T> T time(Supplier<T> work) {
        long start = System.nanoTime();
        T result = work.get();
        nanos = System.nanoTime() - start;
        return result;
    }

    Duration elapsed() {
        return Duration.ofNanos(nanos);
    }
}
