package io.sanavideo.cli;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** What of this program is in memory, Java's heap included; known on Linux. */
final class ResidentSet {
    /** With these Java's heap is in memory from the start, and what grows is something else. */
    static final String STEADY_HEAP = "-Xms128m -Xmx128m -XX:+AlwaysPreTouch";

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String FIELD = "VmRSS:";
    private static final long KB = 1024;

    private ResidentSet() {}

    /** Its bytes now; empty where they are not known. */
    static OptionalLong bytes() {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(FIELD))
                    .mapToLong(line -> KB * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    /** Whether Java was started with a heap of one size, all of it in memory. */
    static boolean hasSteadyHeap() {
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        return heap.getCommitted() == heap.getMax()
                && ManagementFactory.getRuntimeMXBean()
                        .getInputArguments()
                        .contains("-XX:+AlwaysPreTouch");
    }
}
