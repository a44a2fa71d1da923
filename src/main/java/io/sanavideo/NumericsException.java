package io.sanavideo;

/** NaN or infinity where finite numbers must be. */
public final class NumericsException extends SanaVideoException {
    private static final long serialVersionUID = 1L;

    public NumericsException(String message) {
        this(message, null);
    }

    public NumericsException(String message, Throwable cause) {
        super(message, cause);
    }
}
