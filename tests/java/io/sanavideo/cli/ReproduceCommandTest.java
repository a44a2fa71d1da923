package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.DemoCopy;
import io.sanavideo.Latents;
import io.sanavideo.media.ClipWriter;
import io.sanavideo.media.Quality;
import io.sanavideo.pipeline.LatentsFile;
import io.sanavideo.pipeline.TinyModel;
import io.sanavideo.runtime.Native;
import io.sanavideo.weights.RandomLora;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code reproduce}: clips again from the recipes in their files. */
class ReproduceCommandTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PROMPT = "a red circle moving left on a black background";
    private static final String OTHER_HASH = "0123456789abcdef".repeat(4);

    @TempDir private static Path shared;

    /** A folder of images, whose recipe can be edited. */
    private static Path images;

    @TempDir private Path folder;

    @BeforeAll
    static void makeImages() {
        images = shared.resolve("images");
        generate(images, PROMPT);
    }

    private static void generate(Path output, String... more) {
        List<String> arguments = new ArrayList<>(List.of("generate"));
        arguments.addAll(List.of("--device", "cpu", "--quiet", "--seed", "7", "--steps", "2"));
        arguments.addAll(List.of("-o", output.toString()));
        arguments.addAll(List.of(more));
        CommandRun run = CommandRun.of(arguments.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isZero();
    }

    private static CommandRun reproduce(Path clip, String... more) {
        return CommandRun.of(arguments(clip, more));
    }

    private static String[] arguments(Path clip, String... more) {
        List<String> arguments = new ArrayList<>(List.of("reproduce", clip.toString()));
        arguments.addAll(List.of(more));
        return arguments.toArray(String[]::new);
    }

    private static void assertIdentical(CommandRun run, int frames) {
        assertThat(run.code()).as(run.err() + run.out()).isZero();
        assertThat(run.out()).contains(": identical, all %d frames of ".formatted(frames));
    }

    private static void assertDiffers(CommandRun run, String... words) {
        assertThat(run.code()).as(run.err() + run.out()).isEqualTo(ExitCode.DIFFERS);
        assertThat(run.out()).contains(": differs").contains(words);
    }

    private static void assertRefused(CommandRun run, int code, String... words) {
        assertThat(run.code()).as(run.err() + run.out()).isEqualTo(code);
        assertThat(run.err()).contains(words).doesNotContain("\tat ");
        assertThat(run.out()).isEmpty();
    }

    /** A folder with nothing but the images' metadata, changed. */
    private Path edited(Consumer<ObjectNode> change) throws IOException {
        return edited(images, change);
    }

    private Path edited(Path clip, Consumer<ObjectNode> change) throws IOException {
        ObjectNode all = (ObjectNode) MAPPER.readTree(clip.resolve("recipe.json").toFile());
        change.accept(all);
        Path edited = Files.createDirectory(folder.resolve("edited"));
        Files.writeString(edited.resolve("recipe.json"), all.toString());
        return edited;
    }

    private static ObjectNode recipe(ObjectNode metadata) {
        return (ObjectNode) metadata.get("recipe");
    }

    @Test
    void aClip() {
        Path clip = folder.resolve("clip.mp4");
        generate(clip, PROMPT, "--threads", "3");
        CommandRun run = reproduce(clip);
        assertIdentical(run, 17);
        assertThat(run.err()).contains("device   cpu", "load", "encode", "denoise", "decode");
        assertThat(reproduce(clip, "--quiet")).isEqualTo(new CommandRun(0, "", ""));
    }

    @Test
    void aClipInChunks() {
        Path clip = folder.resolve("clip.gif");
        generate(clip, PROMPT, "--frames", "49", "--chunk", "4", "--sampler", "unipc");
        assertIdentical(reproduce(clip), 49);
    }

    @Test
    void aClipFromAnImage() throws IOException {
        Path picture = images.resolve("frame-00016.png");
        Path clip = folder.resolve("clip.mp4");
        generate(clip, PROMPT, "--image", picture.toString());
        assertIdentical(reproduce(clip, "--image", picture.toString()), 17);
        assertRefused(
                reproduce(clip),
                ExitCode.USAGE,
                "the image whose pixels have the SHA-256 ",
                "is missing: 0 were given",
                "--image");
        assertRefused(
                reproduce(images, "--image", picture.toString()),
                ExitCode.USAGE,
                "an image of 64x64 pixels and the SHA-256 ",
                "was given, but the recipe has none of it");
    }

    @Test
    void aClipThatGoesOn() {
        Path clip = folder.resolve("clip.mp4");
        Path next = folder.resolve("next.mp4");
        generate(clip, PROMPT);
        generate(next, PROMPT, "--video", clip.toString(), "--continue");
        assertIdentical(reproduce(next, "--video", clip.toString()), 17);
    }

    @Test
    void aClipOfGivenNoise() {
        float[] values = new float[5 * 8 * 8 * 16];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(i * i);
        }
        Path noise = folder.resolve("noise.safetensors");
        LatentsFile.write(noise, new Latents(5, 8, 8, 16, values));
        Path clip = folder.resolve("clip.mp4");
        generate(clip, PROMPT, "--latents-in", noise.toString());
        assertIdentical(reproduce(clip, "--latents-in", noise.toString()), 17);
        assertRefused(reproduce(clip), ExitCode.USAGE, "initial latents", "none were given");
        assertRefused(
                reproduce(images, "--latents-in", noise.toString()),
                ExitCode.USAGE,
                "initial latents were given, expected none");
    }

    @Test
    void aStory() throws IOException {
        Path picture = images.resolve("frame-00003.png");
        Path story = folder.resolve("story.yaml");
        Files.writeString(
                story,
                """
                look: on a black background
                seed: 3
                negative: blurred
                beats:
                  - seconds: 2
                    prompt: a red circle moving left
                  - seconds: 2
                    prompt: a blue circle moving left
                  - seconds: 2
                    prompt: a green square
                    transition: cut
                    seed: 9
                  - seconds: 2
                    prompt: a red circle moving right
                    transition: dissolve
                    dissolve: 0.75
                    image: %s
                """
                        .formatted(picture));
        Path film = folder.resolve("film");
        generate(film, "--story", story.toString());
        CommandRun run = reproduce(film, "--image", picture.toString());
        assertIdentical(run, 65);
        assertThat(run.err()).contains("chunks");
    }

    @Test
    void aTinyModelWithLoras() throws IOException {
        Path model = TinyModel.write(folder).root();
        Path first = RandomLora.ofBlock(31, 0, 4).write(folder.resolve("first.safetensors"));
        Path second = RandomLora.ofBlock(32, 0, 2).write(folder.resolve("second.safetensors"));
        Path clip = folder.resolve("clip.mp4");
        generate(
                clip,
                "a red circle",
                "--model",
                model.toString(),
                "--size",
                "64x64",
                "--frames",
                "1",
                "--tile",
                "32",
                "--dtype",
                "f32",
                "--lora",
                first + ":0.5",
                "--lora",
                second + ":-1",
                "--lora-mode",
                "run");
        assertIdentical(
                reproduce(
                        clip,
                        "--model",
                        model.toString(),
                        "--lora",
                        second.toString(),
                        "--lora",
                        first.toString()),
                1);
        assertRefused(
                reproduce(clip, "--model", model.toString(), "--lora", first.toString()),
                ExitCode.USAGE,
                "the LoRA second.safetensors of the SHA-256 ");
        assertRefused(
                reproduce(clip, "--lora", first.toString(), "--lora", second.toString()),
                ExitCode.USAGE,
                "the model that made " + clip + " is 'model': name its folder by --model");
    }

    @Test
    void otherWeights() throws IOException {
        Path model =
                DemoCopy.at(folder.resolve("model"))
                        .element(DemoCopy.TRANSFORMER, "patch_embedding.bias", 0, 0x3f80)
                        .root();
        CommandRun run = reproduce(images, "--model", model.toString());
        assertDiffers(run, "  weights: weights_sha256.transformer is ", "frames made now: ");
        assertThat(run.out()).doesNotContain("build:", "device:", "libraries:", "settings:");
    }

    /** Of which the hashes of weights know nothing. */
    @Test
    void anotherConfiguration() throws IOException {
        Path model =
                DemoCopy.at(folder.resolve("model"))
                        .set("generation_defaults.json", "max_sequence_length", "4")
                        .root();
        assertDiffers(
                reproduce(images, "--model", model.toString()),
                "  weights: configuration_sha256 is ",
                "  settings: max_sequence_length is 4 now, 24 in the recipe");
    }

    /** What the frames differ by cannot be known; what is not the same can. */
    @ParameterizedTest
    @CsvSource({
        "native_build, GCC 1, build: native_build is 'GCC ",
        "cpu_kernels, 00000000, build: cpu_kernels is '",
        "java, 9, libraries: java is '",
        "cpu, Z80, device: cpu is '",
        "cpu_variant, v9, 'device: cpu_variant is '",
        "model, other, ''"
    })
    void whatIsNotTheSame(String key, String value, String words) throws IOException {
        Path clip =
                edited(
                        all -> {
                            recipe(all).put(key, value);
                            all.put("frames_sha256", OTHER_HASH);
                        });
        CommandRun run = reproduce(clip, "--model", "demo");
        assertDiffers(run, words, "frames in the file: " + OTHER_HASH);
        assertThat(run.out().contains("as far as recipes name them")).isEqualTo(words.isEmpty());
    }

    @Test
    void otherThreads() throws IOException {
        Path clip =
                edited(
                        all -> {
                            recipe(all).put("threads", 3);
                            all.put("frames_sha256", OTHER_HASH);
                        });
        assertDiffers(reproduce(clip, "--threads", "1"), "device: threads is 1 now, 3 in");
        assertThat(reproduce(clip, "--device", "auto").out()).doesNotContain("device:");
    }

    @Test
    void anotherHashAlone() throws IOException {
        Path clip = edited(all -> all.put("frames_sha256", OTHER_HASH));
        CommandRun run = reproduce(clip);
        assertDiffers(
                run,
                "are the same here as far as recipes name them",
                "Either recipe or hash were changed");
        CommandRun quiet = reproduce(clip, "--quiet");
        assertThat(quiet).isEqualTo(new CommandRun(ExitCode.DIFFERS, "", ""));
    }

    @Test
    void anotherSeedThatFitsTheFormIsNotTheClip() throws IOException {
        assertDiffers(reproduce(edited(all -> recipe(all).put("seed", 8))), "as far as");
    }

    @Test
    void eventsForPrograms() throws IOException {
        CommandRun run = reproduce(images, "--json", "--threads", "5");
        assertThat(run.code()).isZero();
        assertThat(run.out()).contains("\"event\":\"progress\"");
        JsonNode last = MAPPER.readTree(run.out().lines().reduce((a, b) -> b).orElseThrow());
        assertThat(last.get("event").textValue()).isEqualTo("reproduced");
        assertThat(last.get("identical").booleanValue()).isTrue();
        assertThat(last.get("frames_sha256")).isEqualTo(last.get("recorded_sha256"));
        assertThat(last.get("differences").get(0).textValue()).startsWith("device: threads is 5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"recipe", "frames_sha256"})
    void withoutRecipeOrHash(String key) throws IOException {
        Path clip = edited(all -> all.remove(key));
        assertRefused(
                reproduce(clip),
                ExitCode.BAD_FILE,
                clip.toString(),
                key.equals("recipe") ? "holds no recipe" : "frames_sha256 is missing");
    }

    @Test
    void brokenRecipes() throws IOException {
        Path clip = edited(all -> recipe(all).remove("recipe_format"));
        assertRefused(
                reproduce(clip),
                ExitCode.BAD_FILE,
                clip + ": the recipe: key 'recipe_format' is missing",
                "an older version's");
        Files.writeString(clip.resolve("recipe.json"), "{\"recipe\": {\"seed\"");
        assertRefused(reproduce(clip), ExitCode.BAD_FILE, "holds no recipe");
        Files.delete(clip.resolve("recipe.json"));
        assertRefused(reproduce(clip), ExitCode.BAD_FILE, "recipe.json cannot be read");
        assertRefused(
                reproduce(folder.resolve("none.mp4")), ExitCode.BAD_FILE, "there is no such file");
    }

    @Test
    void threadsThatCannotBe() {
        assertRefused(reproduce(images, "--threads", "2000"), ExitCode.USAGE, "threads is 2000");
        assertRefused(
                reproduce(images, "--device", "cuda", "--threads", "2"),
                ExitCode.USAGE,
                "--threads is 2, expected none: the device is cuda:0");
    }

    @Test
    void aVideoOfAnotherTool() {
        Path clip = folder.resolve("foreign.mp4");
        try (ClipWriter writer = ClipWriter.open(clip, 16, 16, 8, Quality.LOW)) {
            writer.write(ByteBuffer.allocateDirect(16 * 16 * 3));
            writer.finish(Map.of("title", "a film"));
        }
        assertRefused(reproduce(clip), ExitCode.BAD_FILE, clip + ": holds no recipe");
    }

    /** Frames of v2 and v3 are not the same: products are summed in other orders. */
    @Test
    void anotherVariant() throws Exception {
        Path clip = folder.resolve("clip.mp4");
        CommandRun made =
                ChildProcess.run(
                        Map.of("SANA_ISA", "v2"),
                        "generate",
                        PROMPT,
                        "--device",
                        "cpu",
                        "--seed",
                        "7",
                        "--steps",
                        "2",
                        "-o",
                        clip.toString());
        assertThat(made.code()).as(made.err()).isZero();
        assertIdentical(ChildProcess.run(Map.of("SANA_ISA", ""), arguments(clip)), 17);
        CommandRun other = ChildProcess.run(Map.of("SANA_ISA", "v3"), arguments(clip));
        assertDiffers(other, "  device: cpu_variant is 'v3' now, 'v2' in the recipe");
        assertThat(Native.couldBe("v9")).isFalse();
        assertThat(Native.couldBe(Native.cpuVariant())).isFalse();
    }

    /** Also where another process does the work. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptEndsIt(boolean inAnotherProcess) throws Exception {
        Path clip =
                edited(
                        all -> {
                            recipe(all).put("steps", 1000);
                            if (inAnotherProcess) {
                                recipe(all).put("cpu_variant", "v2");
                            }
                        });
        ProcessBuilder builder =
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
                                "reproduce",
                                "--json",
                                clip.toString())
                        .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("SANA_ISA", "");
        Process process = builder.start();
        List<ProcessHandle> others;
        try (BufferedReader events =
                new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            String event = "";
            while (!event.contains("\"denoise\",\"step\":2")) {
                event = events.readLine();
                assertThat(event).as("the run ended too soon").isNotNull();
            }
            others = process.children().toList();
            assertThat(others).hasSize(inAnotherProcess ? 1 : 0);
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
            events.lines().forEach(line -> assertThat(line).doesNotContain("reproduced"));
        }
        assertThat(process.waitFor()).isEqualTo(130);
        assertThat(others).noneMatch(ProcessHandle::isAlive);
    }
}
