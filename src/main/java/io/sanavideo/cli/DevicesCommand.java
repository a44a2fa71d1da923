package io.sanavideo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Native;
import io.sanavideo.runtime.vendor.Libraries;
import io.sanavideo.runtime.vendor.LibraryName;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sana-video devices}: what a model can run on here. */
@Command(
        name = "devices",
        description = "Says what a model can run on here, and why not on a GPU where it cannot.",
        mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
    private static final double GIB = 1L << 30;

    @Option(names = "--json", description = "Prints one JSON object on standard output.")
    private boolean json;

    @Override
    public Integer call() {
        List<CudaDevice> cards = List.of();
        String reason = null;
        try {
            cards = CudaDevice.all();
        } catch (DeviceException e) {
            reason = e.getMessage();
        }
        if (json) {
            System.out.println(json(cards, reason));
        } else {
            System.out.print(text(cards, reason));
        }
        return ExitCode.DONE;
    }

    private static String text(List<CudaDevice> cards, String reason) {
        StringBuilder text = new StringBuilder();
        text.append(
                "cpu     %d cores, kernels %s%n"
                        .formatted(
                                Runtime.getRuntime().availableProcessors(), Native.cpuVariant()));
        for (CudaDevice card : cards) {
            text.append(
                    "%-7s %s, compute capability %s, %d multiprocessors, %.1f GiB (%.1f free), driver for CUDA %s%s%n"
                            .formatted(
                                    card.device(),
                                    card.name(),
                                    card.capability(),
                                    card.multiprocessors(),
                                    card.memory() / GIB,
                                    card.freeMemory() / GIB,
                                    card.driver(),
                                    card.supported() ? "" : ": this build has no code for it"));
        }
        if (reason != null) {
            text.append("cuda    %s%n".formatted(reason));
        }
        for (LibraryName name : LibraryName.values()) {
            Libraries.Status status = Libraries.status(name);
            text.append(
                    "%-8s %s%n"
                            .formatted(
                                    name.label(),
                                    status.usable() ? status.version() : status.reason()));
        }
        return text.append("auto    is %s%n".formatted(Device.best())).toString();
    }

    private static ObjectNode json(List<CudaDevice> cards, String reason) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.putObject("cpu")
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put("kernels", Native.cpuVariant());
        ArrayNode array = json.putArray("cuda");
        for (CudaDevice card : cards) {
            array.addObject()
                    .put("device", card.device().toString())
                    .put("name", card.name())
                    .put("compute_capability", card.capability())
                    .put("multiprocessors", card.multiprocessors())
                    .put("memory", card.memory())
                    .put("free_memory", card.freeMemory())
                    .put("driver", card.driver())
                    .put("supported", card.supported());
        }
        if (reason != null) {
            json.put("cuda_unavailable", reason);
        }
        ObjectNode libraries = json.putObject("libraries");
        for (LibraryName name : LibraryName.values()) {
            Libraries.Status status = Libraries.status(name);
            libraries
                    .putObject(name.label())
                    .put(
                            status.usable() ? "version" : "unavailable",
                            status.usable() ? status.version() : status.reason());
        }
        return json.put("auto", Device.best().toString());
    }
}
