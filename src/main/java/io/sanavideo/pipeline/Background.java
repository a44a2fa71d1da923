package io.sanavideo.pipeline;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Results of work that another thread does meanwhile. */
final class Background {
    private Background() {}

    /** Waits for the result; what went wrong over there is thrown here as it was. */
    static <T> T result(CompletableFuture<T> work) {
        try {
            return work.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /**
     * Runs a task on a thread of its own. The common pool may have a single thread, and the caller
     * may be on it, waiting.
     */
    static void start(Runnable task) {
        Thread thread = new Thread(task, "sana-video-background");
        thread.setDaemon(true);
        thread.start();
    }
}
