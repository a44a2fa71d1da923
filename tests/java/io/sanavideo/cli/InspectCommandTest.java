package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InspectCommandTest {
    private static final String GEMMA = "tests/golden/gemma2";

    private static JsonNode json(String path) throws JsonProcessingException {
        CommandRun run = CommandRun.of("inspect", path, "--json");
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        return new ObjectMapper().readTree(run.out());
    }

    private static String text(String path) {
        CommandRun run = CommandRun.of("inspect", path);
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        return run.out();
    }

    @Test
    void showsTheHeaderOfASafetensorsFile() throws JsonProcessingException {
        String file = "tests/golden/wan-vae/golden.safetensors";
        JsonNode header = json(file);
        assertThat(header.path("kind").textValue()).isEqualTo("safetensors");
        assertThat(header.path("parameters").longValue()).isEqualTo(86_400);
        assertThat(header.path("bytes").longValue()).isEqualTo(345_600);
        JsonNode latent = header.path("tensors").get(1);
        assertThat(latent.toString())
                .isEqualTo(
                        "{\"name\":\"latent\",\"dtype\":\"F32\",\"shape\":[1,16,3,4,6],\"bytes\":4608}");
        assertThat(text(file))
                .contains("5 tensors, 86,400 parameters")
                .containsPattern("latent +F32 +\\[1, 16, 3, 4, 6\\] +4,608 bytes");
    }

    @Test
    void showsMetadata() throws JsonProcessingException {
        String file = "tests/golden/demo/golden.safetensors";
        assertThat(json(file).path("metadata").path("seed").textValue()).isEqualTo("7");
        assertThat(text(file)).contains("metadata: seed = 7");
    }

    @Test
    void showsAComponent() throws JsonProcessingException {
        JsonNode component = json(GEMMA);
        assertThat(component.path("class").textValue()).isEqualTo("Gemma2Model");
        assertThat(component.path("parameters").longValue()).isEqualTo(135_984);
        assertThat(component.path("parameters_by_dtype").path("BF16").longValue())
                .isEqualTo(135_984);
        assertThat(component.path("config").path("num_hidden_layers").intValue()).isEqualTo(4);
        assertThat(text(GEMMA)).contains("Gemma2Model").contains("46 tensors");
    }

    @Test
    void showsAModel() throws JsonProcessingException {
        JsonNode model = json("demo");
        assertThat(model.path("class").textValue()).isEqualTo("SanaVideoPipeline");
        assertThat(model.path("parameters").longValue()).isEqualTo(5_053_699);
        JsonNode components = model.path("components");
        assertThat(components.path("vae").path("class").textValue()).isEqualTo("AutoencoderKLWan");
        assertThat(components.path("transformer").path("tensor_count").intValue()).isEqualTo(160);
        assertThat(components.path("tokenizer").has("parameters")).isFalse();
        assertThat(text("demo"))
                .contains("5,053,699 parameters")
                .containsPattern("transformer +SanaVideoTransformer3DModel +160 tensors")
                .containsPattern("scheduler +DPMSolverMultistepScheduler +no weights");
    }

    @ParameterizedTest
    @CsvSource({"clip.mp4, h264, yuv420p", "clip.gif, gif, bgra"})
    void showsAClipWithItsRecipe(String name, String codec, String pixels, @TempDir Path folder)
            throws JsonProcessingException {
        String clip = folder.resolve(name).toString();
        CommandRun made =
                CommandRun.of(
                        "generate",
                        "a red circle",
                        "-o",
                        clip,
                        "--steps",
                        "1",
                        "--seed",
                        "5",
                        "--json");
        assertThat(made.code()).as(made.toString()).isEqualTo(ExitCode.DONE);
        String[] events = made.out().split("\n");
        JsonNode done = new ObjectMapper().readTree(events[events.length - 1]);
        JsonNode info = json(clip);
        assertThat(info.path("codec").textValue()).isEqualTo(codec);
        assertThat(info.path("pixel_format").textValue()).isEqualTo(pixels);
        assertThat(info.path("width").intValue()).isEqualTo(64);
        assertThat(info.path("frames").intValue()).isEqualTo(17);
        assertThat(info.path("frames_sha256").textValue())
                .isEqualTo(done.path("frames_sha256").textValue());
        assertThat(info.path("recipe").path("prompt").textValue()).isEqualTo("a red circle");
        assertThat(info.path("recipe").path("seed").intValue()).isEqualTo(5);
        assertThat(text(clip)).contains("17 frames").contains("\"prompt\" : \"a red circle\"");
    }

    @ParameterizedTest
    @CsvSource({
        "/nowhere, does not exist",
        "pom.xml, is not a video file",
        "tests/golden, config.json: does not exist"
    })
    void refusesWhatItCannotRead(String path, String words) {
        CommandRun run = CommandRun.of("inspect", path);
        assertThat(run.code()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(run.err()).contains(words);
    }
}
