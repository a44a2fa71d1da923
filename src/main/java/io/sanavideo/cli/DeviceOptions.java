package io.sanavideo.cli;

import io.sanavideo.Device;
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

    /** The device that was asked for. */
    Device device() {
        Device parsed = Device.parse(device);
        if (parsed.kind() != Device.Kind.CPU) {
            throw new IllegalArgumentException(
                    "--device %s is not supported by this version, which runs on the CPU; give --device cpu or leave it out"
                            .formatted(device));
        }
        return Device.cpu(threads);
    }
}
