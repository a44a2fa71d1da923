package io.sanavideo;

/**
 * Hears how a call gets on, on the engine's thread: keep it short. What it throws ends the call and
 * reaches the caller.
 */
@FunctionalInterface
public interface ProgressListener {
    /** Hears nothing. */
    ProgressListener NONE = progress -> {};

    void onProgress(Progress progress);
}
