package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Native;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The build and the machine that compute, as a recipe names them.
 *
 * @param device where the model runs
 * @param threads of the CPU
 */
record Machine(Device device, int threads) {
    static final String CPU_VARIANT = "cpu_variant";
    static final String DEVICE = "device";
    static final String THREADS = "threads";

    /** What may differ between builds of this project. */
    static final List<String> BUILD =
            List.of("sana_video", "native_build", "cpu_kernels", "cuda_kernels");

    /** What is of the device alone. */
    static final List<String> OF_DEVICE = List.of(DEVICE, "card", "cpu", CPU_VARIANT, THREADS);

    /** Of these what frames of a card do not depend on. */
    static final List<String> OF_CPU = List.of("cpu", "cpu_kernels", CPU_VARIANT, THREADS);

    /** Others' code that numbers come from; a card's libraries stand with the kernels. */
    static final List<String> LIBRARIES = List.of("java", "math_library");

    private static final Path CPU = Path.of("/proc/cpuinfo");
    private static final String CPU_NAME = "model name";

    void describe(ObjectNode recipe) {
        recipe.put(DEVICE, device.toString());
        if (device.kind() == Device.Kind.CUDA) {
            recipe.put("card", card());
            recipe.put("cuda_kernels", Native.cudaKernels());
        }
        recipe.put("cpu", cpu());
        recipe.put(THREADS, threads);
        recipe.put(CPU_VARIANT, Native.cpuVariant());
        recipe.put("sana_video", Native.version());
        recipe.put("native_build", Native.build());
        recipe.put("cpu_kernels", Native.cpuKernels());
        recipe.put("java", Runtime.version().toString());
        recipe.put("math_library", Native.mathLibrary());
    }

    /**
     * @throws io.sanavideo.ModelFormatException when a recipe does not name them as {@link
     *     #describe} does
     */
    static void require(Json recipe) {
        Device device = device(recipe);
        for (String key :
                List.of(
                        "cpu",
                        CPU_VARIANT,
                        "sana_video",
                        "native_build",
                        "cpu_kernels",
                        "java",
                        "math_library")) {
            recipe.requiredText(key);
        }
        if (device.kind() == Device.Kind.CUDA) {
            recipe.requiredText("card");
            recipe.requiredText("cuda_kernels");
        }
    }

    /** The device of a recipe, a CPU with its threads. */
    static Device device(Json recipe) {
        int threads = recipe.requiredInt(THREADS, 0, 1024);
        try {
            Device device = Device.parse(recipe.requiredText(DEVICE));
            return device.kind() == Device.Kind.CPU ? Device.cpu(threads) : device;
        } catch (IllegalArgumentException e) {
            throw recipe.unexpected(DEVICE, "cpu or cuda:N");
        }
    }

    private String card() {
        try {
            return CudaDevice.all().stream()
                    .filter(card -> card.index() == device.index())
                    .findFirst()
                    .map(card -> card.name() + ", " + card.capability())
                    .orElse("unknown");
        } catch (DeviceException e) {
            return "unknown";
        }
    }

    private static String cpu() {
        try (Stream<String> lines = Files.lines(CPU)) {
            return lines.filter(line -> line.startsWith(CPU_NAME))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
