package io.sanavideo.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Native;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which kernels run: those that SANA_ISA names, or the best that this processor has. */
class CpuVariantTest {
    /** Prints what a fresh process gets. */
    static final class Probe {
        public static void main(String[] arguments) {
            try (Context context = Context.cpu(1)) {
                System.out.println("variant " + Native.cpuVariant());
            } catch (DeviceException e) {
                System.out.println("DeviceException " + e.getMessage());
            }
        }
    }

    @Test
    void isTheOneAskedForOrTheBest() throws IOException {
        String asked = System.getenv("SANA_ISA");
        assertThat(Native.cpuVariant()).isEqualTo(asked == null ? best() : asked);
    }

    /**
     * The build says which variant a run of the tests is for; the environment must have said so.
     */
    @Test
    void isTheOneThisTestRunIsFor() {
        String meant = System.getProperty("sanavideo.isa", Native.cpuVariant());
        assertThat(Native.cpuVariant()).isEqualTo(meant);
    }

    @ParameterizedTest
    @CsvSource({"v2, sse4_2", "v3, avx2", "v4, avx512vl", "v4-bf16, avx512_bf16"})
    void canBeChosen(String name, String flag) throws Exception {
        String answer = probe(name);
        if (processorFlags().contains(flag)) {
            assertThat(answer).isEqualTo("variant " + name);
        } else {
            assertThat(answer).startsWith("DeviceException").contains("'" + name + "'");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v9", "V3", "v4_bf16", "avx2"})
    void isRefusedWhenUnknown(String name) throws Exception {
        assertThat(probe(name))
                .startsWith("DeviceException")
                .contains("SANA_ISA is '" + name + "'", "expected v2, v3, v4 or v4-bf16");
    }

    private static String best() throws IOException {
        Set<String> flags = processorFlags();
        if (!flags.contains("avx512vl")) {
            return flags.contains("avx2") ? "v3" : "v2";
        }
        return flags.contains("avx512_bf16") ? "v4-bf16" : "v4";
    }

    private static Set<String> processorFlags() throws IOException {
        String line =
                Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                        .filter(any -> any.startsWith("flags"))
                        .findFirst()
                        .orElseThrow();
        return new HashSet<>(List.of(line.substring(line.indexOf(':') + 1).trim().split(" +")));
    }

    private static String probe(String isa) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String property : List.of("cachedir", "maxPhysicalBytes")) {
            String name = "org.bytedeco.javacpp." + property;
            command.add("-D" + name + "=" + System.getProperty(name));
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Probe.class.getName());
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("SANA_ISA", isa);
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return output.strip();
    }
}
