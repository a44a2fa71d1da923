package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.media.ClipInfo;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The {@code generate} command, from its arguments to its files and exit codes. */
class GenerateCommandTest {
    private static final String PROMPT = "a red circle moving left on a black background";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir private Path folder;

    /** {@code generate} with two steps; the file's name is relative to the test's folder. */
    private CommandRun generate(String output, String... more) {
        List<String> arguments = new ArrayList<>(List.of("generate", "--steps", "2", "-o"));
        arguments.add(folder.resolve(output).toString());
        arguments.addAll(Arrays.asList(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void mp4HoldsRecipeAndFrameHash() throws IOException {
        CommandRun outcome = generate("clip.mp4", PROMPT, "--seed", "7");

        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out().lines()).hasSize(1);
        assertThat(outcome.out()).contains("clip.mp4", "17 frames of 64x64", "seed 7");
        assertThat(outcome.err()).contains("load", "encode", "denoise", "decode", "write");
        ClipInfo info = ClipInfo.read(folder.resolve("clip.mp4"));
        assertThat(info.codec()).isEqualTo("h264");
        assertThat(info.frames()).isEqualTo(17);
        assertThat(info.metadata().get("frames_sha256")).matches("[0-9a-f]{64}");
        JsonNode recipe = MAPPER.readTree(info.metadata().get("recipe"));
        assertThat(recipe.get("prompt").textValue()).isEqualTo(PROMPT);
        assertThat(recipe.get("seed").longValue()).isEqualTo(7);
        assertThat(recipe.get("steps").intValue()).isEqualTo(2);
        assertThat(recipe.get("weights_sha256").size()).isEqualTo(3);
        assertThat(files()).containsExactly("clip.mp4");
    }

    /** The story of docs/long-video.md, as it stands there. */
    @Test
    void aStoryIsAFilm() throws IOException {
        String page = Files.readString(Path.of("docs/long-video.md"));
        int begin = page.indexOf("```yaml") + "```yaml".length();
        Path story = folder.resolve("story.yaml");
        Files.writeString(story, page.substring(begin, page.indexOf("```", begin)));
        CommandRun outcome = generate("film.mp4", "--story", story.toString(), "--device", "cpu");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains("film.mp4", "85 frames of 64x64", "seed 1");
        assertThat(outcome.err())
                .contains(
                        "6 chunks of 5 latent frames",
                        "beats 1 to 2: a shot from 0.00 s to 4.63 s, its prompt changing at 2.13 s",
                        "beat 4: a shot from 7.50 s to 10.63 s, dissolving in for 0.75 s, which the story is not shortened by");
        ClipInfo info = ClipInfo.read(folder.resolve("film.mp4"));
        assertThat(info.frames()).isEqualTo(85);
        JsonNode recipe = MAPPER.readTree(info.metadata().get("recipe"));
        assertThat(recipe.get("beats")).hasSize(4);
        assertThat(recipe.get("beats").get(3).get("seed").intValue()).isEqualTo(9);
        CommandRun other =
                generate("other.mp4", "--story", story.toString(), "--seed", "2", "--quiet");
        assertThat(other.code()).as(other.err()).isZero();
        assertThat(ClipInfo.read(folder.resolve("other.mp4")).metadata().get("recipe"))
                .contains("\"seed\":2");
        assertRefusedBeside(
                generate("no.mp4", "--story", story.toString(), "--seconds", "3"),
                ExitCode.USAGE,
                "a story's beats have their own");
        assertRefusedBeside(
                generate("no.mp4", "--story", story.toString(), "--chunk", "off"),
                ExitCode.USAGE,
                "chunks are off, expected on");
    }

    @Test
    void longClipsAreMadeInChunks() throws IOException {
        CommandRun outcome =
                generate("long.mp4", PROMPT, "--seconds", "4", "--seed", "1", "--device", "cpu");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("1 chunk of 9 latent frames", "chunks ");
        assertRefusedBeside(
                generate("no.mp4", PROMPT, "--chunk", "some"),
                ExitCode.USAGE,
                "--chunk is 'some', expected a number of latent frames");
        assertRefusedBeside(
                generate(
                        "no.mp4",
                        PROMPT,
                        "--seconds",
                        "4",
                        "--latents-out",
                        folder.resolve("l.safetensors").toString()),
                ExitCode.USAGE,
                "--latents-out was given, expected none");
        assertRefusedBeside(
                generate("no.mp4", PROMPT, "--chunk", "1", "--seconds", "600", "--strict"),
                ExitCode.USAGE,
                "goes beyond the 1024 positions");
    }

    /** Where memory asks for tiles it is said so; where they were asked for it need not be. */
    @Test
    void framesInTiles() {
        List<String> clip =
                List.of(PROMPT, "--device", "cpu", "--size", "192x128", "--frames", "1");
        List<String> scarce = new ArrayList<>(clip);
        scarce.addAll(List.of("--memory", "40M", "--seed", "3"));
        CommandRun outcome = generate("scarce.mp4", scarce.toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("decoded in tiles of 104x104 pixels");
        List<String> asked = new ArrayList<>(clip);
        asked.addAll(List.of("--tile", "104", "--seed", "3"));
        CommandRun same = generate("asked.mp4", asked.toArray(String[]::new));
        assertThat(same.err()).doesNotContain("tiles of");
        Map<String, String> first = ClipInfo.read(folder.resolve("scarce.mp4")).metadata();
        Map<String, String> second = ClipInfo.read(folder.resolve("asked.mp4")).metadata();
        assertThat(first.get("recipe")).contains("\"tile\":104");
        assertThat(second.get("recipe")).contains("\"tile\":104");
        assertThat(second.get("frames_sha256")).isEqualTo(first.get("frames_sha256"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip.gif", "images"})
    void otherForms(String name) throws IOException {
        CommandRun outcome = generate(name, PROMPT, "--quiet");

        assertThat(outcome).isEqualTo(new CommandRun(0, "", ""));
        Path output = folder.resolve(name);
        if (name.endsWith(".gif")) {
            assertThat(ClipInfo.read(output).frames()).isEqualTo(17);
        } else {
            try (Stream<Path> images = Files.list(output)) {
                assertThat(images.filter(image -> image.toString().endsWith(".png"))).hasSize(17);
            }
        }
    }

    @Test
    void jsonEventsParseAndTheSameSeedMakesTheSameFrames() throws IOException {
        List<JsonNode> first = events(generate("a.mp4", PROMPT, "--seed", "7", "--json"));
        List<JsonNode> second = events(generate("b.mp4", PROMPT, "--seed", "7", "--json"));
        List<JsonNode> other = events(generate("c.mp4", PROMPT, "--seed", "8", "--json"));

        assertThat(first.stream().map(event -> event.get("event").textValue()).distinct())
                .containsExactly("device", "progress", "begin", "done");
        List<String> phases = List.of("load", "encode", "denoise", "decode", "write");
        assertThat(first.stream().map(event -> event.path("phase").textValue()).distinct())
                .filteredOn(Objects::nonNull)
                .isEqualTo(phases);
        for (String phase : phases) {
            assertThat(steps(first, phase)).as(phase).startsWith(0.0).endsWith(1.0);
        }
        JsonNode done = done(first);
        assertThat(done.get("frames").intValue()).isEqualTo(17);
        assertThat(done.get("bytes").longValue()).isEqualTo(Files.size(folder.resolve("a.mp4")));
        assertThat(done.get("frames_sha256")).isEqualTo(done(second).get("frames_sha256"));
        assertThat(done.get("frames_sha256")).isNotEqualTo(done(other).get("frames_sha256"));
    }

    private static List<JsonNode> events(CommandRun outcome) throws IOException {
        assertThat(outcome.code()).as(outcome.err()).isZero();
        List<JsonNode> events = new ArrayList<>();
        for (String line : outcome.out().lines().toList()) {
            events.add(MAPPER.readTree(line));
        }
        return events;
    }

    /** How much of a phase is done at each of its events, from 0 to 1. */
    private static List<Double> steps(List<JsonNode> events, String phase) {
        return events.stream()
                .filter(event -> phase.equals(event.path("phase").textValue()))
                .map(event -> event.get("step").doubleValue() / event.get("total").longValue())
                .toList();
    }

    private static JsonNode done(List<JsonNode> events) {
        return events.get(events.size() - 1);
    }

    @Test
    void batchNamesItsFilesAndCountsItsSeeds() throws IOException {
        Path prompts =
                Files.writeString(folder.resolve("prompts.txt"), PROMPT + "\n\na blue square\n");

        CommandRun outcome =
                generate(
                        "clip.gif",
                        "--prompt-file",
                        prompts.toString(),
                        "--count",
                        "2",
                        "--seed",
                        "5",
                        "--frames",
                        "1");

        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(files())
                .containsExactly(
                        "clip-1.gif", "clip-2.gif", "clip-3.gif", "clip-4.gif", "prompts.txt");
        assertThat(outcome.out().lines().map(line -> line.replaceAll(".*seed ", "")))
                .containsExactly("5", "6", "5", "6");
    }

    @Test
    void latentsThatWereWrittenAreRead() throws IOException {
        String latents = folder.resolve("noise.safetensors").toString();
        generate("a.gif", PROMPT, "--latents-out", latents, "--quiet");

        String first = hash(generate("b.gif", PROMPT, "--latents-in", latents, "--json"));
        String second =
                hash(generate("c.gif", PROMPT, "--latents-in", latents, "--seed", "9", "--json"));
        String fromSeed = hash(generate("d.gif", PROMPT, "--seed", "9", "--json"));

        assertThat(first).isEqualTo(second).isNotEqualTo(fromSeed);
    }

    private static String hash(CommandRun outcome) throws IOException {
        return done(events(outcome)).get("frames_sha256").textValue();
    }

    @Test
    void badSizeIsAUsageErrorThatNamesTheNearest() throws IOException {
        assertRefused(generate("clip.mp4", PROMPT, "--size", "65x64"), 2, "65x64", "64x64");
        assertRefused(generate("clip.mp4", PROMPT, "--size", "big"), 2, "--size is 'big'");
        assertRefused(generate("clip.mp4", PROMPT, "--frames", "16"), 2, "16 frames", "17");
    }

    @Test
    void kernelsOfAClipAreUsedAgain() throws IOException {
        generate("first.mp4", PROMPT, "--seed", "7", "--device", "cpu", "--quiet");
        String first = folder.resolve("first.mp4").toString();

        CommandRun again =
                generate(
                        "second.mp4",
                        PROMPT,
                        "--seed",
                        "7",
                        "--device",
                        "cpu",
                        "--quiet",
                        "--kernels-from",
                        first);

        assertThat(again).isEqualTo(new CommandRun(0, "", ""));
        assertThat(ClipInfo.read(folder.resolve("second.mp4")).metadata().get("frames_sha256"))
                .isEqualTo(ClipInfo.read(Path.of(first)).metadata().get("frames_sha256"));
        assertThat(files()).containsExactly("first.mp4", "second.mp4");
    }

    @Test
    void theCpuHasNoLibraries() throws IOException {
        assertRefused(
                generate("clip.mp4", PROMPT, "--device", "cpu", "--gemm", "cublaslt"),
                ExitCode.USAGE,
                "cublaslt was asked for: the device is cpu");
        assertRefused(
                generate("clip.mp4", PROMPT, "--conv", "cublaslt"),
                ExitCode.USAGE,
                "--conv is 'cublaslt', expected own, cudnn or auto");
        assertRefused(
                generate("clip.mp4", PROMPT, "--conv", "own", "--kernels-from", "clip.mp4"),
                ExitCode.USAGE,
                "leave out --gemm and --conv");
    }

    @Test
    void emptyPromptFileIsABadFile() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "\n \n");

        CommandRun outcome = generate("clip.mp4", "--prompt-file", prompts.toString());

        Files.delete(prompts);
        assertRefused(outcome, 5, "prompts.txt", "holds no prompt");
    }

    @Test
    void missingModelIsABadFile() throws IOException {
        assertRefused(generate("clip.mp4", PROMPT, "--model", "/no/model"), 5, "/no/model");
    }

    /** Exit code, words, no stack trace, and nothing left. */
    private void assertRefused(CommandRun outcome, int code, String... words) throws IOException {
        assertRefusedBeside(outcome, code, words);
        assertThat(files()).isEmpty();
    }

    /** Where other files are there already. */
    private void assertRefusedBeside(CommandRun outcome, int code, String... words)
            throws IOException {
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(code);
        assertThat(outcome.err()).contains(words).doesNotContain("\tat ");
        assertThat(files()).doesNotContain("no.mp4");
    }

    @Test
    void interruptLeavesNothingHalfWritten() throws Exception {
        Process process =
                // Of a build in the background processes ignore interrupts, unless told otherwise.
                new ProcessBuilder(
                                "env",
                                "--default-signal=INT",
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Dorg.bytedeco.javacpp.cachedir="
                                        + System.getProperty("org.bytedeco.javacpp.cachedir"),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName(),
                                "generate",
                                "--steps",
                                "1000",
                                "--json",
                                "-o",
                                folder.resolve("clip.mp4").toString(),
                                PROMPT)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try (BufferedReader events =
                new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            String event = "";
            while (!event.contains("\"denoise\",\"step\":2")) {
                event = events.readLine();
                assertThat(event).as("the run ended too soon").isNotNull();
            }
            assertThat(files()).as("while it runs").singleElement().asString().endsWith(".part");
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
            events.lines().forEach(line -> assertThat(line).doesNotContain("done"));
        }

        assertThat(process.waitFor()).isEqualTo(130);
        assertThat(files()).isEmpty();
    }
}
