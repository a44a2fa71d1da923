package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RandomModelCommandTest {
    private static final String WEIGHTS = "transformer/diffusion_pytorch_model.safetensors";

    @TempDir Path folder;

    private Path write(String name, String seed) {
        Path model = folder.resolve(name);
        CommandRun run =
                CommandRun.of("random-model", "demo", "-o", model.toString(), "--seed", seed);
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        assertThat(run.out()).contains("5,053,699 parameters").contains("seed " + seed);
        assertThat(run.err()).contains("100%");
        return model;
    }

    @Test
    void writesAModelThatRuns() {
        Path model = write("model", "3");
        String clip = folder.resolve("clip.gif").toString();
        CommandRun run =
                CommandRun.of(
                        "generate",
                        "a red circle",
                        "--model",
                        model.toString(),
                        "-o",
                        clip,
                        "--size",
                        "64x64",
                        "--frames",
                        "5",
                        "--steps",
                        "1",
                        "--quiet");
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        assertThat(Path.of(clip)).isNotEmptyFile();
    }

    @Test
    void theSeedSaysWhichNumbers() throws IOException {
        Path first = write("first", "3").resolve(WEIGHTS);
        assertThat(Files.mismatch(first, write("same", "3").resolve(WEIGHTS))).isEqualTo(-1);
        assertThat(Files.mismatch(first, write("other", "4").resolve(WEIGHTS))).isPositive();
    }

    @Test
    void refusesAFolderThatIsNotEmptyAndAShapeItDoesNotKnow() {
        String full = write("model", "3").toString();
        CommandRun again = CommandRun.of("random-model", "demo", "-o", full);
        assertThat(again.code()).isEqualTo(ExitCode.USAGE);
        assertThat(again.err()).contains("is not empty");
        CommandRun unknown = CommandRun.of("random-model", "999p", "-o", folder + "/other");
        assertThat(unknown.code()).isEqualTo(ExitCode.USAGE);
        assertThat(unknown.err()).contains("480p, 720p");
    }
}
