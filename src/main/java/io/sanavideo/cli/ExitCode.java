package io.sanavideo.cli;

import io.sanavideo.CancelledException;
import io.sanavideo.DeviceException;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.ModelFormatException;
import java.io.PrintWriter;

/** The exit codes of every command. */
final class ExitCode {
    static final int DONE = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int DOES_NOT_FIT = 3;
    static final int DIFFERS = 4;
    static final int BAD_FILE = 5;
    static final int DEVICE = 6;
    static final int CANCELLED = 130;

    private ExitCode() {}

    /** Prints what went wrong, with its stack trace when verbose, and returns the code for it. */
    static int report(Exception exception, boolean verbose, PrintWriter err) {
        String message = exception.getMessage();
        err.println("sana-video: " + (message == null ? exception.toString() : message));
        if (verbose) {
            exception.printStackTrace(err);
        }
        err.flush();
        return of(exception);
    }

    private static int of(Exception exception) {
        if (exception instanceof IllegalArgumentException) {
            return USAGE;
        } else if (exception instanceof DoesNotFitException) {
            return DOES_NOT_FIT;
        } else if (exception instanceof ModelFormatException) {
            return BAD_FILE;
        } else if (exception instanceof DeviceException) {
            return DEVICE;
        } else if (exception instanceof CancelledException) {
            return CANCELLED;
        }
        return FAILED;
    }
}
