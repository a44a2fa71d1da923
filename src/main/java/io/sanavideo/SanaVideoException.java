package io.sanavideo;

/**
 * The root of everything this library throws beyond argument and state errors. Each message says
 * what went wrong, where, and what to do. Requests that the model cannot honour are {@link
 * IllegalArgumentException}s naming the nearest one it can.
 */
public abstract sealed class SanaVideoException extends RuntimeException
        permits ModelFormatException,
                DoesNotFitException,
                DeviceException,
                NumericsException,
                CancelledException {
    private static final long serialVersionUID = 1L;

    SanaVideoException(String message, Throwable cause) {
        super(message, cause);
    }
}
