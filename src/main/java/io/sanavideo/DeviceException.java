package io.sanavideo;

/** A device cannot be used, or failed while it ran. */
public final class DeviceException extends SanaVideoException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        this(message, null);
    }

    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
