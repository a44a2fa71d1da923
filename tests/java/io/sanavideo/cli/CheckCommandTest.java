package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckCommandTest {
    private static final Path GOLDEN = Path.of("tests/golden");
    private static final Path DEMO = Path.of("src/main/resources/io/sanavideo/demo");

    @TempDir Path folder;

    private FolderCopy copy(String name) throws IOException {
        return FolderCopy.of(GOLDEN.resolve(name), folder.resolve(name));
    }

    /** The vectors of image to video. */
    private static final String FROM_IMAGE = "golden-i2v.safetensors";

    /** The vectors of a video made chunk by chunk. */
    private static final String CHUNKED = "golden-causal.safetensors";

    private FolderCopy demo() throws IOException {
        return FolderCopy.of(DEMO, folder.resolve("model"))
                .add(GOLDEN.resolve("demo/golden.safetensors"));
    }

    @ParameterizedTest
    @CsvSource({
        "transformer-head112, 1",
        "transformer-patch1, 1",
        "transformer-head32-per-token-timestep, 1",
        "transformer-guidance, 1",
        "causal-chunks, 7",
        "wan-vae, 3",
        "ltx2-vae, 2",
        "ltx2-vae-noncausal-decoder, 2",
        "gemma2, 1",
        "schedulers, 9",
        "torch-noise, 18"
    })
    void acceptsEveryReference(String name, int judged) {
        for (String dtype : new String[] {"f32", "bf16"}) {
            CommandRun run =
                    CommandRun.of("check", GOLDEN.resolve(name).toString(), "--dtype", dtype);
            assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
            assertThat(run.out())
                    .contains(dtype + " on cpu")
                    .contains("%d of %d judged".formatted(judged, judged));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "transformer-head112, output, 1",
        "transformer-guidance, output, 1",
        "causal-chunks, output, 1",
        "causal-chunks, state.0.vk, 1",
        "causal-chunks, state.1.k, 1",
        "causal-chunks, state.1.last_frame, 1",
        "wan-vae, decoded, 1",
        "wan-vae, latent_mean, 1",
        "wan-vae, latent_logvar, 1",
        "ltx2-vae, decoded, 1",
        "ltx2-vae, latent_mean, 1",
        "ltx2-vae-noncausal-decoder, decoded, 1",
        "schedulers, unipc.x, 1",
        "schedulers, dpmpp.timesteps, 1",
        "schedulers, euler.sigmas, 1",
        "torch-noise, seed42.n17, 1"
    })
    void refusesAnAlteredOutput(String name, String tensor, int count) throws IOException {
        CommandRun run = CommandRun.of("check", copy(name).alter(tensor, count).toString());
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.FAILED);
        assertThat(run.out().lines().filter(line -> line.endsWith("FAIL")))
                .singleElement()
                .asString()
                .startsWith(tensor + " ");
    }

    /** Of the second sample the last row is padding, the first ones are not. */
    @ParameterizedTest
    @CsvSource({"48, 0", "1008, 1"})
    void judgesOnlyRowsThatAreNoPadding(int count, int code) throws IOException {
        FolderCopy altered = copy("gemma2").alter("last_hidden_state", count);
        CommandRun run = CommandRun.of("check", altered.toString());
        assertThat(run.code()).as(run.toString()).isEqualTo(code);
    }

    @Test
    void acceptsTheDemoModel() throws IOException {
        String model =
                demo().add(GOLDEN.resolve("demo/" + FROM_IMAGE))
                        .add(GOLDEN.resolve("demo/" + CHUNKED))
                        .toString();
        CommandRun run = CommandRun.of("check", model);
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        assertThat(run.out()).contains("whole model, f32").contains("51 of 51 judged");
        CommandRun bf16 = CommandRun.of("check", model, "--dtype", "bf16", "--mid");
        assertThat(bf16.code()).as(bf16.toString()).isEqualTo(ExitCode.DONE);
        assertThat(bf16.out().lines().filter(line -> line.endsWith("not judged"))).hasSize(4 * 19);
    }

    @ParameterizedTest
    @CsvSource({
        "prompt_embeds, 2304",
        "negative_prompt_embeds, 2304",
        "timesteps, 1",
        "sigmas, 2",
        "latents, 8",
        "frames, 2000"
    })
    void refusesAnAlteredOutputOfAModel(String tensor, int count) throws IOException {
        CommandRun run = CommandRun.of("check", demo().alter(tensor, count).toString());
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.FAILED);
        assertThat(run.out().lines().filter(line -> line.endsWith("FAIL")))
                .singleElement()
                .asString()
                .startsWith(tensor);
    }

    @ParameterizedTest
    @CsvSource({"image, 5000", "image_latent, 4", "latents, 8", "frames, 2000"})
    void refusesAnAlteredOutputOfImageToVideo(String tensor, int count) throws IOException {
        FolderCopy model = demo().add(GOLDEN.resolve("demo/" + FROM_IMAGE));
        CommandRun run = CommandRun.of("check", model.alter(FROM_IMAGE, tensor, count).toString());
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.FAILED);
        assertThat(run.out().lines().filter(line -> line.endsWith("FAIL")))
                .isNotEmpty()
                .allMatch(line -> line.startsWith("i2v "));
    }

    @ParameterizedTest
    @CsvSource({
        "latents.1, 8",
        "state.prompt.3.vk, 64",
        "state.negative.5.last_frame, 64",
        "frames, 2000"
    })
    void refusesAnAlteredOutputOfAChunkedVideo(String tensor, int count) throws IOException {
        FolderCopy model = demo().add(GOLDEN.resolve("demo/" + CHUNKED));
        CommandRun run = CommandRun.of("check", model.alter(CHUNKED, tensor, count).toString());
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.FAILED);
        assertThat(run.out().lines().filter(line -> line.endsWith("FAIL")))
                .singleElement()
                .asString()
                .startsWith("causal " + tensor);
    }

    @Test
    void intermediateTensorsAreShownAndNotJudged() throws IOException {
        String altered = copy("transformer-patch1").alter("mid.block0.ff", 100).toString();
        CommandRun run = CommandRun.of("check", altered, "--mid");
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        assertThat(run.out()).contains("mid.block0.attn1").contains("1 of 1 judged");
        assertThat(CommandRun.of("check", altered).out()).doesNotContain("mid.");
    }

    /** Of another network the vectors hold a block that this one does not have. */
    @Test
    void intermediateTensorsItDoesNotKnowAreListed() throws IOException {
        FolderCopy renamed = copy("transformer-patch1").rename("mid.block0.ff", "mid.block9.ff");
        CommandRun run = CommandRun.of("check", renamed.toString(), "--mid");
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        assertThat(run.out()).containsPattern("mid.block9.ff +not judged");
    }

    @Test
    void checksOneSideOfAVae() {
        String vae = GOLDEN.resolve("wan-vae").toString();
        CommandRun decode = CommandRun.of("check", vae, "--only", "decode");
        assertThat(decode.code()).isEqualTo(ExitCode.DONE);
        assertThat(decode.out()).contains("decoded").doesNotContain("latent_mean");
        CommandRun encode = CommandRun.of("check", vae, "--only", "encode");
        assertThat(encode.code()).isEqualTo(ExitCode.DONE);
        assertThat(encode.out())
                .contains("latent_mean", "latent_logvar", "2 of 2 judged")
                .doesNotContain("decoded");
    }

    @Test
    void checksEitherSideOfTheOtherVae() {
        String vae = GOLDEN.resolve("ltx2-vae-noncausal-decoder").toString();
        CommandRun decode = CommandRun.of("check", vae, "--only", "decode");
        assertThat(decode.code()).as(decode.toString()).isEqualTo(ExitCode.DONE);
        assertThat(decode.out()).contains("decoded").doesNotContain("latent_mean");
        CommandRun encode = CommandRun.of("check", vae, "--only", "encode");
        assertThat(encode.code()).as(encode.toString()).isEqualTo(ExitCode.DONE);
        assertThat(encode.out()).contains("latent_mean").doesNotContain("decoded");
    }

    @Test
    void printsJson() throws IOException {
        CommandRun run = CommandRun.of("check", GOLDEN.resolve("wan-vae").toString(), "--json");
        JsonNode report = new ObjectMapper().readTree(run.out());
        assertThat(report.path("judged").intValue()).isEqualTo(3);
        assertThat(report.path("failed").intValue()).isZero();
        JsonNode decoded = report.path("tensors").get(0);
        assertThat(decoded.path("name").textValue()).isEqualTo("decoded");
        assertThat(decoded.path("verdict").textValue()).isEqualTo("pass");
        assertThat(decoded.path("relative_l2").doubleValue()).isBetween(1e-9, 2e-5);
        assertThat(decoded.path("max_error").doubleValue()).isBetween(1e-9, 1e-3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "src/main/resources/io/sanavideo/demo/vae"})
    void saysWhenThereIsNothingToJudgeBy(String model) {
        CommandRun run = CommandRun.of("check", model);
        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("no golden.safetensors");
    }

    @ParameterizedTest
    @CsvSource({
        "--only, decode, for the two sides of a VAE",
        "--only, sideways, Invalid value",
        "--device, gpu, 'expected cpu, cuda, cuda:N or auto'",
        "--dtype, f64, expected f32",
        "--threads, -1, threads is -1"
    })
    void refusesOptionsItCannotHonour(String option, String value, String words) {
        CommandRun run = CommandRun.of("check", GOLDEN.resolve("gemma2") + "", option, value);
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(words);
    }

    @Test
    void refusesBrokenFolders() throws IOException {
        assertBroken(folder.resolve("nothing").toString(), "does not exist");
        assertBroken(GOLDEN.toString(), "cannot tell what this is");
        assertBroken(GOLDEN.resolve("demo").toString(), "cannot tell what tensor");
        FolderCopy gemma = copy("gemma2").truncate("golden.safetensors");
        assertBroken(gemma.toString(), "golden.safetensors");
        FolderCopy vae = copy("wan-vae").delete("diffusion_pytorch_model.safetensors");
        assertBroken(vae.toString(), "has no weights");
        assertBroken(vae.write("config.json", "{").toString(), "is not valid JSON");
        assertBroken(vae.write("config.json", "{}").toString(), "_class_name");
        FolderCopy schedulers = copy("schedulers").write("euler/scheduler_config.json", "{}");
        assertBroken(schedulers.toString(), "_class_name");
        FolderCopy model = demo().delete("transformer/config.json");
        assertBroken(model.toString(), "transformer");
    }

    @Test
    void refusesVectorsThatDoNotFit() throws IOException {
        FolderCopy vae = copy("wan-vae").delete("golden.safetensors");
        assertBroken(vae.add(GOLDEN.resolve("gemma2/golden.safetensors")).toString(), "'latent'");
        FolderCopy transformer = copy("transformer-patch1").delete("golden.safetensors");
        assertBroken(
                transformer
                        .add(
                                GOLDEN.resolve(
                                        "transformer-head32-per-token-timestep/golden.safetensors"))
                        .toString(),
                "does not fit the component");
    }

    @Test
    void refusesAClassItDoesNotKnow() throws IOException {
        FolderCopy vae = copy("wan-vae").write("config.json", "{\"_class_name\": \"Other\"}");
        CommandRun run = CommandRun.of("check", vae.toString());
        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("'Other' is not supported");
    }

    private static void assertBroken(String path, String words) {
        CommandRun run = CommandRun.of("check", path);
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(run.err()).contains(words).doesNotContain("\tat ");
    }
}
