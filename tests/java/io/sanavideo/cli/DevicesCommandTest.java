package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code devices} says of this machine, and of others that the emulator of a card plays. */
class DevicesCommandTest {
    private static final String EMULATOR = System.getProperty("sanavideo.emulator");
    private static final String LIBRARIES = System.getProperty("sanavideo.vendor");
    private static final String PROMPT = "a red circle moving left on a black background";

    @TempDir private Path folder;

    /** A command where the emulator plays the driver and its cards. */
    private static CommandRun emulated(Map<String, String> environment, String... arguments)
            throws Exception {
        Map<String, String> all = new HashMap<>(environment);
        all.put("SANA_CUDA_LIBRARY", EMULATOR);
        return ChildProcess.run(all, arguments);
    }

    @Test
    void namesCpuAndCard() throws Exception {
        CommandRun outcome = emulated(Map.of(), "devices");

        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out().lines())
                .satisfiesExactly(
                        cpu -> assertThat(cpu).matches("cpu +\\d+ cores, kernels v\\S+"),
                        card ->
                                assertThat(card)
                                        .isEqualTo(
                                                "cuda:0  SIMT emulator, compute capability 9.0, 4 multiprocessors, 8.0 GiB (6.0 free), driver for CUDA 13.0"),
                        cublasLt ->
                                assertThat(cublasLt).startsWith("cublaslt cannot be loaded: lib"),
                        cudnn -> assertThat(cudnn).startsWith("cudnn    cannot be loaded: lib"),
                        auto -> assertThat(auto).isEqualTo("auto    is cuda:0"));
    }

    /** By stand-ins for them, through the real presets. */
    @Test
    void namesTheLibrariesThatAFolderHolds() throws Exception {
        Map<String, String> environment = Map.of("SANA_LIBRARIES", LIBRARIES);

        assertThat(emulated(environment, "devices").out())
                .contains("cublaslt 13.3.0\n")
                .contains("cudnn    9.25.0\n");
        JsonNode json =
                new ObjectMapper().readTree(emulated(environment, "devices", "--json").out());
        assertThat(json.at("/libraries/cublaslt/version").textValue()).isEqualTo("13.3.0");
        assertThat(json.at("/libraries/cudnn/version").textValue()).isEqualTo("9.25.0");
    }

    @Test
    void aLibraryThatIsAskedForAndMissingIsAnError() throws Exception {
        CommandRun outcome =
                emulated(
                        Map.of(),
                        "generate",
                        PROMPT,
                        "--device",
                        "cuda",
                        "--gemm",
                        "cublaslt",
                        "-o",
                        folder.resolve("clip.gif").toString());

        assertThat(outcome.code()).isEqualTo(6);
        assertThat(outcome.err()).contains("cublaslt was asked for: cannot be loaded: lib");
    }

    @Test
    void saysTheSameInJson() throws Exception {
        JsonNode json = new ObjectMapper().readTree(emulated(Map.of(), "devices", "--json").out());

        assertThat(json.at("/cpu/cores").intValue()).isPositive();
        assertThat(json.at("/cuda/0/name").textValue()).isEqualTo("SIMT emulator");
        assertThat(json.at("/cuda/0/memory").longValue()).isEqualTo(8L << 30);
        assertThat(json.at("/cuda/0/supported").booleanValue()).isTrue();
        assertThat(json.get("auto").textValue()).isEqualTo("cuda:0");
        assertThat(json.has("cuda_unavailable")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "SIMT_DRIVER, 0, no CUDA device can be used: no NVIDIA driver is installed",
        "SIMT_DRIVER, 12040, 'the NVIDIA driver is for CUDA 12.4, and these kernels need one for CUDA 13.0 or newer'",
        "SIMT_DEVICES, 0, the NVIDIA driver shows no device (is CUDA_VISIBLE_DEVICES set?)",
        "SANA_CUDA_LIBRARY, /nowhere/to/be/found.so, this build has no CUDA kernels: /nowhere/to/be/found.so",
    })
    void saysWhyThereIsNoCard(String variable, String value, String reason) throws Exception {
        Map<String, String> environment = new HashMap<>();
        environment.put("SANA_CUDA_LIBRARY", EMULATOR);
        environment.put(variable, value);

        CommandRun devices = ChildProcess.run(environment, "devices");
        assertThat(devices.code()).as(devices.err()).isZero();
        assertThat(devices.out().lines().skip(1))
                .satisfiesExactly(
                        cuda -> assertThat(cuda).startsWith("cuda    ").contains(reason),
                        cublasLt ->
                                assertThat(cublasLt)
                                        .isEqualTo("cublaslt not looked for without a CUDA device"),
                        cudnn -> assertThat(cudnn).startsWith("cudnn    not looked for"),
                        auto -> assertThat(auto).isEqualTo("auto    is cpu"));
        JsonNode json =
                new ObjectMapper()
                        .readTree(ChildProcess.run(environment, "devices", "--json").out());
        assertThat(json.get("cuda_unavailable").textValue()).contains(reason);
        assertThat(json.get("cuda")).isEmpty();
    }

    @Test
    void aCardWithoutCodeIsNamedButNotChosen() throws Exception {
        Map<String, String> old = Map.of("SIMT_CAPABILITY", "75");

        assertThat(emulated(old, "devices").out())
                .contains("compute capability 7.5", ": this build has no code for it")
                .endsWith("auto    is cpu%n".formatted());
        CommandRun generate = emulated(old, generate("--device", "cuda"));
        assertThat(generate.code()).isEqualTo(ExitCode.DEVICE);
        assertThat(generate.err())
                .contains(
                        "device 0, SIMT emulator, has compute capability 7.5: this build has no code for it",
                        "-Dnative.arch=all");
    }

    /** An explicit cuda never becomes the CPU; auto does, and says why. */
    @Test
    void nothingFallsBackInSilence() throws Exception {
        Map<String, String> none = Map.of("SIMT_DRIVER", "0");

        CommandRun cuda = emulated(none, generate("--device", "cuda"));
        assertThat(cuda.code()).isEqualTo(ExitCode.DEVICE);
        assertThat(cuda.err()).contains("no NVIDIA driver is installed");
        assertThat(folder.resolve("clip.mp4")).doesNotExist();
        CommandRun auto = emulated(none, generate("--device", "auto"));
        assertThat(auto.code()).as(auto.err()).isZero();
        assertThat(auto.err().lines().findFirst())
                .contains(
                        "device   cpu: no CUDA device can be used: no NVIDIA driver is installed");
        CommandRun json = emulated(none, generate("--json"));
        JsonNode first = new ObjectMapper().readTree(json.out().lines().findFirst().orElseThrow());
        assertThat(first.get("event").textValue()).isEqualTo("device");
        assertThat(first.get("device").textValue()).isEqualTo("cpu");
        assertThat(first.get("cuda_unavailable").textValue()).contains("no NVIDIA driver");
    }

    @Test
    void aCardThatIsNotThereIsRefused() throws Exception {
        CommandRun outcome = emulated(Map.of(), generate("--device", "cuda:3"));

        assertThat(outcome.code()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("device is 3, expected 0 to 0");
    }

    @Test
    void threadsAreOfTheCpu() throws Exception {
        CommandRun outcome = emulated(Map.of(), generate("--device", "cuda", "--threads", "3"));

        assertThat(outcome.code()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("--threads is 3, expected none: the device is cuda:0");
    }

    private String[] generate(String... more) {
        String output = folder.resolve("clip.mp4").toString();
        return Stream.concat(
                        Stream.of(
                                "generate", PROMPT, "--steps", "1", "--frames", "1", "-o", output),
                        Arrays.stream(more))
                .toArray(String[]::new);
    }

    /** On a card, or its emulator, whichever this process has. */
    @Tag("gpu")
    @Test
    void thisMachinesCardIsAuto() {
        CommandRun outcome = CommandRun.of("devices");

        assertThat(outcome.out()).contains("cuda:0 ").endsWith("auto    is cuda:0%n".formatted());
    }
}
