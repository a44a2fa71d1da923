package io.sanavideo.pipeline;

import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.Plan;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How much of a device's memory can be had now. */
final class AvailableMemory {
    private static final Path MEMORY = Path.of("/proc/meminfo");
    private static final Pattern AVAILABLE =
            Pattern.compile("^MemAvailable: +(\\d+) kB$", Pattern.MULTILINE);
    private static final int KIB = 1024;

    private AvailableMemory() {}

    /** Bytes, or {@link Plan#UNKNOWN} for a card that this machine does not have. */
    static long of(Device device) {
        if (device.kind() == Device.Kind.CPU) {
            return Math.min(host(), total());
        }
        try {
            return CudaDevice.all().stream()
                    .filter(card -> card.index() == device.index())
                    .mapToLong(CudaDevice::freeMemory)
                    .findFirst()
                    .orElse(Plan.UNKNOWN);
        } catch (DeviceException e) {
            return Plan.UNKNOWN;
        }
    }

    /** What the system can give without swapping; file caches count, since they give way. */
    private static long host() {
        try {
            Matcher line = AVAILABLE.matcher(Files.readString(MEMORY));
            return line.find() ? Long.parseLong(line.group(1)) * KIB : Long.MAX_VALUE;
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }

    /** All memory that this process may use: less than the machine's in a container. */
    private static long total() {
        return ManagementFactory.getOperatingSystemMXBean()
                        instanceof com.sun.management.OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : Long.MAX_VALUE;
    }
}
