package io.sanavideo;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a model runs. A plain value: memory and threads belong to the {@link SanaVideo} opened on
 * it.
 *
 * @param kind CPU or CUDA
 * @param index which card, from 0; 0 for the CPU
 * @param threads CPU threads, 1 to 1024, or 0 for one a core this process may use
 */
public record Device(Kind kind, int index, int threads) {
    /** The kinds of device. */
    public enum Kind {
        CPU,
        CUDA
    }

    private static final int MAX_THREADS = 1024;
    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,3}))?");

    public Device {
        if (index < 0 || (kind == Kind.CPU && index != 0)) {
            throw new IllegalArgumentException(
                    "device index is %d, expected 0 for the CPU, 0 or more for a card"
                            .formatted(index));
        }
        if (threads < 0 || threads > MAX_THREADS) {
            throw new IllegalArgumentException(
                    "threads is %d, expected 1 to %d, or 0 for all cores"
                            .formatted(threads, MAX_THREADS));
        }
    }

    /** The CPU, one thread a core this process may use. */
    public static Device cpu() {
        return cpu(0);
    }

    /** The CPU with so many threads. */
    public static Device cpu(int threads) {
        return new Device(Kind.CPU, 0, threads);
    }

    /** A CUDA card, from 0. */
    public static Device cuda(int index) {
        return new Device(Kind.CUDA, index, 0);
    }

    /**
     * The first CUDA card that this build has code for, or else the CPU. {@link CudaDevice#all()}
     * says why there is no card to use.
     */
    public static Device best() {
        try {
            return CudaDevice.all().stream()
                    .filter(CudaDevice::supported)
                    .findFirst()
                    .map(CudaDevice::device)
                    .orElse(cpu());
        } catch (DeviceException e) {
            return cpu();
        }
    }

    /**
     * Reads {@code cpu}, {@code cuda}, {@code cuda:n} or {@code auto}.
     *
     * @throws IllegalArgumentException for anything else
     */
    public static Device parse(String text) {
        if (text.equals("cpu")) {
            return cpu();
        }
        if (text.equals("auto")) {
            return best();
        }
        Matcher cuda = CUDA.matcher(text);
        if (cuda.matches()) {
            return cuda(cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
        }
        throw new IllegalArgumentException(
                "device is '%s', expected cpu, cuda, cuda:N or auto".formatted(text));
    }

    @Override
    public String toString() {
        return kind == Kind.CPU ? "cpu" : "cuda:" + index;
    }
}
