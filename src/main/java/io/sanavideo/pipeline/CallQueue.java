package io.sanavideo.pipeline;

import io.sanavideo.CancelledException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs calls one after another, in the order they come, on one thread: native ops keep their thread
 * pool with the thread that calls them. A call may be cancelled from any thread; one made from
 * within a running call runs at once, inside it.
 */
public final class CallQueue implements AutoCloseable {
    private final Runnable stop;
    private final Runnable resume;
    private final AtomicInteger pending = new AtomicInteger();
    private final ExecutorService executor;
    private volatile Thread thread;
    private Call running;
    private boolean closed;

    /** One call, and whether it was cancelled. */
    private static final class Call {
        private boolean cancelled;
    }

    /**
     * @param name of the thread
     * @param stop makes the native work of the running call end soon; any thread
     * @param resume lets native work run again
     */
    public CallQueue(String name, Runnable stop, Runnable resume) {
        this.stop = stop;
        this.resume = resume;
        this.executor =
                Executors.newSingleThreadExecutor(
                        work -> {
                            thread = new Thread(work, name);
                            thread.setDaemon(true);
                            return thread;
                        });
    }

    /** Whether a call runs or waits. */
    public boolean busy() {
        return pending.get() > 0;
    }

    /**
     * Runs a call and waits for it. Interrupting the waiting thread cancels the call; the thread
     * stays interrupted.
     *
     * @throws CancelledException when it was cancelled
     * @throws IllegalStateException when the queue is closed
     */
    public <T> T run(Callable<T> body) {
        if (Thread.currentThread() == thread) {
            return direct(body);
        }
        Call call = new Call();
        Future<T> future;
        pending.incrementAndGet();
        try {
            future = executor.submit(() -> execute(call, body));
        } catch (RejectedExecutionException e) {
            pending.decrementAndGet();
            throw new IllegalStateException("this SanaVideo is closed", e);
        }
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancel(call);
                } catch (ExecutionException e) {
                    throw rethrown(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private <T> T execute(Call call, Callable<T> body) throws Exception {
        try {
            synchronized (this) {
                running = call;
                call.cancelled |= closed;
                throwIfCancelled();
            }
            return body.call();
        } finally {
            synchronized (this) {
                running = null;
                resume.run();
            }
            pending.decrementAndGet();
        }
    }

    /** Cancels the call that runs now, if one does. Calls that wait are not touched. */
    public synchronized void cancel() {
        if (running != null) {
            cancel(running);
        }
    }

    private synchronized void cancel(Call call) {
        call.cancelled = true;
        if (call == running) {
            stop.run();
        }
    }

    /** Ends a call between its native ops: for work in Java. */
    public synchronized void throwIfCancelled() {
        if (running != null && running.cancelled) {
            throw new CancelledException("cancelled");
        }
    }

    private static <T> T direct(Callable<T> body) {
        try {
            return body.call();
        } catch (Exception e) {
            throw rethrown(e);
        }
    }

    private static RuntimeException rethrown(Throwable cause) {
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException runtime
                ? runtime
                : new IllegalStateException("a call failed: " + cause, cause);
    }

    /** Cancels the running call and those that wait, and returns when none runs any more. */
    @Override
    public void close() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("close() was called from a listener or frame sink");
        }
        executor.shutdown();
        synchronized (this) {
            closed = true;
            cancel();
        }
        boolean interrupted = false;
        while (!executor.isTerminated()) {
            try {
                executor.awaitTermination(1, TimeUnit.HOURS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
