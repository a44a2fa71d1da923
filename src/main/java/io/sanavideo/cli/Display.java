package io.sanavideo.cli;

import io.sanavideo.Device;
import io.sanavideo.Generated;
import io.sanavideo.Plan;
import io.sanavideo.ProgressListener;
import io.sanavideo.Reproduction;
import java.nio.file.Path;

/** How {@code generate} shows what it does. */
interface Display extends ProgressListener, AutoCloseable {
    /**
     * Where it runs, before anything is loaded.
     *
     * @param whyNotCuda why {@code auto} became the CPU; null when something else was asked for
     */
    void device(Device device, String whyNotCuda);

    /** A clip of a batch begins; clips are numbered from 1. */
    void begin(Path output, int number, int clips);

    /** What is to be known of a clip before it is made, a sentence. */
    void note(String note);

    /**
     * What is to be known of a plan.
     *
     * @param strict whether a warning is an error
     * @throws IllegalArgumentException for the first warning, where that is so
     */
    default void plan(Plan plan, boolean strict) {
        if (strict && !plan.warnings().isEmpty()) {
            throw new IllegalArgumentException(plan.warnings().get(0));
        }
        plan.notes().forEach(this::note);
        plan.warnings().forEach(warning -> note("warning: " + warning));
    }

    /** A clip is complete. */
    void done(Path output, Generated generated);

    /** A clip was made again from its recipe. */
    void reproduced(Reproduction again);

    @Override
    void close();

    static Display of(boolean json, boolean quiet) {
        if (json) {
            return new JsonDisplay(System.out);
        }
        return quiet ? new QuietDisplay() : new TextDisplay(System.out, System.err);
    }
}
