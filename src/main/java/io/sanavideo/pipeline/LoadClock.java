package io.sanavideo.pipeline;

import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.weights.Checkpoint;
import java.nio.file.Path;
import java.util.List;

/** The loading of components' weights: reports every hundredth of their bytes. */
final class LoadClock {
    private final long total;
    private final PhaseClock clock;
    private long loaded;
    private long reported;

    /** Reports 0 bytes; reads the headers of all weights before any is loaded. */
    LoadClock(ProgressListener listener, List<Path> components) {
        long bytes = 0;
        for (Path component : components) {
            try (Checkpoint checkpoint = Checkpoint.open(component)) {
                bytes += checkpoint.bytes();
            }
        }
        total = bytes;
        clock = new PhaseClock(listener, Phase.LOAD, total, null);
    }

    /** So many more bytes are loaded. */
    void loaded(long bytes) {
        loaded += bytes;
        if (loaded - reported > total / 100 && loaded < total) {
            clock.done(loaded);
            reported = loaded;
        }
    }

    /**
     * All is loaded; weights that generation has no use for, the VAE's encoder, are passed over.
     */
    void finish() {
        clock.done(total);
    }
}
