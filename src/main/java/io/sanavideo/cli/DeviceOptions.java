package io.sanavideo.cli;

import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say where to run. */
class DeviceOptions {
    @Option(
            names = "--device",
            paramLabel = "cpu|cuda[:N]|auto",
            defaultValue = "auto",
            description = "Where to run (default: ${DEFAULT-VALUE}, the fastest there is).")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads (default: one a core).")
    private int threads;

    /**
     * The device that was asked for.
     *
     * @throws IllegalArgumentException when threads are given for a card
     */
    Device device() {
        Device parsed = Device.parse(device);
        if (parsed.kind() == Device.Kind.CPU) {
            return Device.cpu(threads);
        }
        if (threads != 0) {
            throw new IllegalArgumentException(
                    "--threads is %d, expected none: the device is %s".formatted(threads, parsed));
        }
        return parsed;
    }

    /** Why {@code auto} became the CPU; null when it did not, or something else was asked for. */
    String whyNotCuda() {
        if (!device.equals("auto")) {
            return null;
        }
        try {
            List<CudaDevice> cards = CudaDevice.all();
            return cards.stream().anyMatch(CudaDevice::supported)
                    ? null
                    : "this build has no code for " + cards.get(0).name();
        } catch (DeviceException e) {
            return e.getMessage();
        }
    }
}
