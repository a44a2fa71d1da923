package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.pipeline.TinyModel;
import io.sanavideo.weights.EditedTensors;
import io.sanavideo.weights.RandomLora;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRAs on the command line: clips, their recipes, plans, and what {@code inspect} says. */
class LoraCommandTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir private static Path shared;
    private static Path model;
    private static Path first;
    private static Path second;

    @TempDir private Path folder;

    @BeforeAll
    static void write() throws IOException {
        model = TinyModel.write(shared).root();
        first = RandomLora.ofBlock(31, 0, 4).write(shared.resolve("first.safetensors"));
        RandomLora other = RandomLora.ofBlock(32, 0, 2);
        other.tensors()
                .metadata(
                        "lora_adapter_metadata",
                        "{\"transformer.lora_alpha\": 6, \"transformer.alpha_pattern\": {\"to_q\": 3}}");
        second = other.write(shared.resolve("second.safetensors"));
    }

    private static CommandRun run(String command, Path model, String... more) {
        List<String> arguments = new ArrayList<>(List.of(command, "--model", model.toString()));
        arguments.addAll(
                List.of("--size", "8x8", "--frames", "5", "--device", "cpu", "--threads", "1"));
        arguments.addAll(List.of("--dtype", "f32"));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    private CommandRun generate(Path model, String... more) {
        List<String> arguments = new ArrayList<>(List.of("a red circle", "--seed", "1"));
        arguments.addAll(List.of("--steps", "2", "--json", "-o"));
        arguments.add(folder.resolve("clip.gif").toString());
        arguments.addAll(List.of(more));
        return run("generate", model, arguments.toArray(String[]::new));
    }

    private String frames(CommandRun run) throws JsonProcessingException {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        List<String> events = run.out().lines().toList();
        JsonNode done = MAPPER.readTree(events.get(events.size() - 1));
        return done.get("frames_sha256").textValue();
    }

    private static JsonNode inspected(Path path) throws JsonProcessingException {
        CommandRun run = CommandRun.of("inspect", path.toString(), "--json");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        return MAPPER.readTree(run.out());
    }

    private static String sha256(Path file) throws IOException, NoSuchAlgorithmException {
        byte[] content = Files.readAllBytes(file);
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }

    @Test
    void clipsAndTheirRecipes() throws Exception {
        String plain = frames(generate(model));
        assertThat(inspected(folder.resolve("clip.gif")).path("recipe").has("loras")).isFalse();
        String one = frames(generate(model, "--lora", first.toString()));
        String both =
                frames(generate(model, "--lora", first.toString(), "--lora", second + ":-0.5"));

        JsonNode recipe = inspected(folder.resolve("clip.gif")).path("recipe");

        assertThat(List.of(plain, one, both)).doesNotHaveDuplicates();
        assertThat(frames(generate(model, "--lora", first + ":0"))).isEqualTo(plain);
        assertThat(recipe.path("loras").toString())
                .isEqualTo(
                        ("[{\"file\":\"first.safetensors\",\"sha256\":\"%s\",\"scale\":1.0},"
                                        + "{\"file\":\"second.safetensors\",\"sha256\":\"%s\",\"scale\":-0.5}]")
                                .formatted(sha256(first), sha256(second)));
        assertThat(recipe.path("lora_mode").textValue()).isEqualTo("merge");
        generate(model, "--lora", first.toString(), "--lora-mode", "run");
        assertThat(inspected(folder.resolve("clip.gif")).at("/recipe/lora_mode").textValue())
                .isEqualTo("run");
    }

    /** The receipt is about the folder's weights, which stay as they are. */
    @Test
    void quantisedModelsAreAdaptedWithTheReceiptTheyHave() throws IOException {
        Path quantized = folder.resolve("quantized");
        CommandRun made =
                CommandRun.of(
                        "quantize",
                        model.toString(),
                        "-o",
                        quantized.toString(),
                        "--check",
                        "0",
                        "--device",
                        "cpu",
                        "--threads",
                        "1",
                        "--quiet");
        assertThat(made).isEqualTo(new CommandRun(ExitCode.DONE, "", ""));

        String plain = frames(generate(quantized));
        assertThat(frames(generate(quantized, "--lora", first.toString()))).isNotEqualTo(plain);

        Path temporal =
                new RandomLora(33)
                        .layer("transformer_blocks.0.ff.conv_temp", 128, 2, 128L, 3L, 1L)
                        .write(folder.resolve("temporal.safetensors"));
        assertRefused(
                generate(quantized, "--lora", temporal.toString()),
                ExitCode.BAD_FILE,
                "'transformer_blocks.0.ff.conv_temp'",
                "NVFP4");
        assertThat(frames(generate(model, "--lora", temporal.toString()))).isNotEmpty();
    }

    private void assertRefused(CommandRun run, int code, String... words) {
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.err()).contains(words).doesNotContain("\tat ");
    }

    @ParameterizedTest
    @CsvSource({
        "nowhere.safetensors, 5, nowhere.safetensors: does not exist",
        "first.safetensors:much, 2, 'the scale of the LoRA'",
        "other.safetensors, 5, may be the LoRA of another model",
        "kohya.safetensors, 5, 'lora_unet_x.alpha'",
        "configs, 5, is not a regular file",
    })
    void whatCannotBeUsedIsRefused(String name, int code, String words) {
        new RandomLora(34)
                .layer("transformer_blocks.1.attn1.to_q", 128, 2, 128L)
                .write(shared.resolve("other.safetensors"));
        new EditedTensors().put("lora_unet_x.alpha", 1).write(shared.resolve("kohya.safetensors"));
        String lora = shared.resolve(name).toString();

        assertRefused(generate(model, "--lora", lora), code, words);
        assertThat(folder.resolve("clip.gif")).doesNotExist();
        assertRefused(run("plan", model, "--lora", lora), code, words);
    }

    @Test
    void modesThatAreNoneAreRefused() {
        assertRefused(
                generate(model, "--lora", first.toString(), "--lora-mode", "fuse"),
                ExitCode.USAGE,
                "'fuse', expected merge or run");
    }

    private static long weights(String... more) throws JsonProcessingException {
        List<String> arguments = new ArrayList<>(List.of(more));
        arguments.add("--json");
        CommandRun run = run("plan", model, arguments.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        return MAPPER.readTree(run.out()).at("/phases/0/weights").longValue();
    }

    @Test
    void aPlanCountsBranches() throws JsonProcessingException {
        long plain = weights();
        assertThat(weights("--lora", first.toString())).isEqualTo(plain);
        // A and B of the eight layers, at least: parts of one product have zeros between them.
        long bytes = inspected(first).path("bytes").longValue();
        assertThat(weights("--lora", first.toString(), "--lora-mode", "run"))
                .isGreaterThanOrEqualTo(plain + bytes);
        assertThat(weights("--lora", first + ":0", "--lora-mode", "run")).isEqualTo(plain);
    }

    @Test
    void inspectSaysWhatALoraIs() throws JsonProcessingException {
        JsonNode lora = inspected(second);
        assertThat(lora.path("kind").textValue()).isEqualTo("lora");
        assertThat(lora.path("refusal").isNull()).isTrue();
        assertThat(lora.path("targets").toString())
                .isEqualTo(
                        "{\"attn1.to_out.0\":1,\"attn1.to_q\":1,\"attn1.to_v\":1,\"attn2.to_k\":1,"
                                + "\"attn2.to_out.0\":1,\"attn2.to_q\":1,\"ff.conv_inverted\":1,\"ff.conv_point\":1}");
        assertThat(lora.path("layers").size()).isEqualTo(8);
        assertThat(lora.at("/layers/0").toString())
                .isEqualTo(
                        "{\"name\":\"transformer_blocks.0.attn1.to_q\",\"rank\":2,\"alpha\":3.0,"
                                + "\"factor\":1.5,\"out\":128,\"in\":[128]}");
        assertThat(lora.path("tensor_count").intValue()).isEqualTo(16);

        String text = CommandRun.of("inspect", second.toString()).out();
        assertThat(text)
                .contains(
                        "LoRA of 8 layers, rank 2 to 3, alpha 3 to 6; 16 tensors",
                        "1 attn1.to_q, 1 attn1.to_v",
                        "metadata: lora_adapter_metadata")
                .containsPattern("transformer_blocks.0.attn1.to_q +rank 2, alpha 3, times 1.5\n");
    }

    @Test
    void aNameThatOnlySoundsLikeItIsNoLora() throws JsonProcessingException {
        Path file = folder.resolve("flora.safetensors");
        new EditedTensors().put("flora.weight", 1).write(file);
        assertThat(inspected(file).path("kind").textValue()).isEqualTo("safetensors");
    }

    @Test
    void inspectSaysWhyALoraCannotBeUsed() throws JsonProcessingException {
        Path kohya = folder.resolve("kohya.safetensors");
        new EditedTensors().put("lora_unet_x.alpha", 1).write(kohya);

        assertThat(inspected(kohya).path("refusal").textValue()).contains("lora_unet_x.alpha");
        assertThat(CommandRun.of("inspect", kohya.toString()).out())
                .contains("LoRA that cannot be used here", "kohya", "lora_unet_x.alpha  F32");
    }
}
