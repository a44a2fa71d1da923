package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What goes to a bare machine with a card: that it is small enough, that its Java needs no other,
 * and that the script there does its steps, on the emulator of a card.
 */
class GpuBundleTest {
    private static final Path BUNDLE = Path.of("target", "gpu-bundle.tar.xz");
    private static final String EMULATOR = System.getProperty("sanavideo.emulator");

    @TempDir private static Path unpacked;
    @TempDir private Path folder;

    private record Outcome(int code, String output) {}

    /** Runs a command with this environment and no other. */
    private static Outcome run(Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), output);
    }

    private static Map<String, String> tools(String name, String value) {
        return Map.of("PATH", System.getenv("PATH"), "OMP_WAIT_POLICY", "passive", name, value);
    }

    /** The script fails where bundle and tree are larger than they may be. */
    @BeforeAll
    static void bundle() throws Exception {
        Outcome outcome =
                run(
                        tools("JAVA_HOME", System.getProperty("java.home")),
                        List.of("tests/gpu/bundle", BUNDLE.toString()));
        assertThat(outcome.code()).as(outcome.output()).isZero();
        assertThat(outcome.output()).contains("of 63 MiB");
        Outcome tar =
                run(
                        Map.of("PATH", System.getenv("PATH")),
                        List.of(
                                "python3",
                                "-m",
                                "tarfile",
                                "-e",
                                BUNDLE.toString(),
                                unpacked.toString()));
        assertThat(tar.code()).as(tar.output()).isZero();
    }

    /** The Java of the bundle, in an empty environment. */
    private static Outcome java(String main, String... arguments) throws Exception {
        List<String> places =
                Stream.of("classes", "test-classes", "lib/*")
                        .map(place -> unpacked.resolve(place).toString())
                        .toList();
        List<String> command =
                new ArrayList<>(
                        List.of(
                                unpacked.resolve("java/bin/java").toString(),
                                "-Dorg.bytedeco.javacpp.cachedir=" + unpacked.resolve("javacpp"),
                                "-cp",
                                String.join(":", places) + ":src/main/resources",
                                main));
        command.addAll(List.of(arguments));
        return run(Map.of(), command);
    }

    private static Outcome sana(String... arguments) throws Exception {
        return java("io.sanavideo.cli.Main", arguments);
    }

    @Test
    void holdsNoKernels() throws Exception {
        Outcome outcome = sana("devices");

        assertThat(outcome.code()).as(outcome.output()).isZero();
        assertThat(outcome.output())
                .contains("cuda    this build has no CUDA kernels", "auto    is cpu");
    }

    @Test
    void checksOnTheCpu() throws Exception {
        Outcome outcome = sana("check", "tests/golden/transformer-guidance", "--device", "cpu");

        assertThat(outcome.code()).as(outcome.output()).isZero();
        assertThat(outcome.output()).contains("1 of 1 judged tensors inside their bounds");
    }

    @Test
    void makesAClipWithoutFFmpeg() throws Exception {
        Path clip = folder.resolve("clip");
        Outcome outcome =
                sana("generate", "a red circle", "--steps", "1", "--frames", "1", "-o", "" + clip);

        assertThat(outcome.code()).as(outcome.output()).isZero();
        assertThat(clip.resolve("frame-00000.png")).isNotEmptyFile();
        try (Stream<Path> jars = Files.list(unpacked.resolve("lib"))) {
            assertThat(jars).noneMatch(jar -> jar.getFileName().toString().contains("ffmpeg"));
        }
    }

    @Test
    void findsTheTestsForACard() throws Exception {
        Outcome outcome = java("io.sanavideo.GpuTests", "--list");

        assertThat(outcome.code()).as(outcome.output()).isZero();
        assertThat(outcome.output().lines())
                .contains("io.sanavideo.runtime.RecordingTest onACard()")
                .noneMatch(line -> line.contains("onTheCpu"));
    }

    /** The steps that the script did where the library of kernels is this one. */
    private JsonNode steps(String library, int code, String... options) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "tests/gpu/run",
                                "--emulated",
                                BUNDLE.toString(),
                                folder.toString()));
        command.addAll(List.of(options));
        Outcome outcome = run(tools("SANA_CUDA_LIBRARY", library), command);
        assertThat(outcome.code()).as(outcome.output()).isEqualTo(code);
        JsonNode steps =
                new ObjectMapper().readTree(folder.resolve("result.json").toFile()).get("steps");
        assertThat(outcome.output().lines()).hasSize(steps.size() + 2);
        return steps;
    }

    private static List<String> status(JsonNode steps) {
        return steps.findValuesAsText("status");
    }

    @Test
    void doesItsStepsOnTheEmulator() throws Exception {
        JsonNode steps = steps(EMULATOR, 0);

        assertThat(status(steps)).containsOnly("ok").hasSize(5);
        assertThat(steps.at("/0/numbers/card").textValue()).isEqualTo("SIMT emulator");
        assertThat(steps.at("/1/numbers/cases").intValue()).isEqualTo(20);
        assertThat(steps.at("/2/numbers/tensors").intValue()).isPositive();
        assertThat(steps.at("/3/numbers/f32_from_cpu").doubleValue()).isZero();
        assertThat(steps.at("/3/numbers/bf16_from_cpu_f32").doubleValue()).isPositive();
        assertThat(steps.at("/4/numbers/tests").intValue()).isGreaterThan(3);
    }

    @Test
    void goesOnAfterAStepThatFails() throws Exception {
        JsonNode steps = steps("/nowhere/to/be/found.so", 1);

        assertThat(status(steps)).containsExactly("failed", "failed", "failed", "ok", "ok");
        assertThat(steps.at("/0/reason").textValue()).contains("this build has no CUDA kernels");
    }

    @Test
    void endsInTime() throws Exception {
        assertThat(status(steps(EMULATOR, 1, "--seconds", "0.1"))).containsOnly("not run");
    }
}
