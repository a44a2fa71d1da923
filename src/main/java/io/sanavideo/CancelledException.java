package io.sanavideo;

/** The caller cancelled the run; the engine stays usable. */
public final class CancelledException extends SanaVideoException {
    private static final long serialVersionUID = 1L;

    public CancelledException(String message) {
        this(message, null);
    }

    public CancelledException(String message, Throwable cause) {
        super(message, cause);
    }
}
