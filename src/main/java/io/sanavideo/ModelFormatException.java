package io.sanavideo;

/**
 * A model or input file is broken or is not what its format says: names file, tensor and byte
 * offset.
 */
public final class ModelFormatException extends SanaVideoException {
    private static final long serialVersionUID = 1L;

    public ModelFormatException(String message) {
        this(message, null);
    }

    public ModelFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
