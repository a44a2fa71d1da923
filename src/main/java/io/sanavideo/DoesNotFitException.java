package io.sanavideo;

/** Memory or disk cannot hold what was asked for. */
public final class DoesNotFitException extends SanaVideoException {
    private static final long serialVersionUID = 1L;

    public DoesNotFitException(String message) {
        this(message, null);
    }

    public DoesNotFitException(String message, Throwable cause) {
        super(message, cause);
    }
}
