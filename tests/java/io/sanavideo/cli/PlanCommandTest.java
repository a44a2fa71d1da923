package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The {@code plan} command takes the flags of {@code generate}. */
class PlanCommandTest {
    @Test
    void saysWhatAClipTakes() {
        CommandRun outcome =
                CommandRun.of(
                        "plan",
                        "a red circle",
                        "--frames",
                        "33",
                        "--chunk",
                        "off",
                        "--device",
                        "cpu");

        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out().lines())
                .anyMatch(line -> line.startsWith("33 frames of 64x64, 20 steps of two branches"))
                .anyMatch(line -> line.matches("  denoise +0\\.\\d{3} +0\\.\\d{3}"))
                .anyMatch(line -> line.endsWith("it fits, all components together"))
                .contains("weights on disk: 0.010 GB");
    }

    @Test
    void takesTheWholeCommandLineOfAGenerate() throws IOException {
        CommandRun outcome =
                CommandRun.of(
                        "plan",
                        "a red circle",
                        "-o",
                        "clip.mp4",
                        "--count",
                        "3",
                        "--quality",
                        "high",
                        "--quiet",
                        "--size",
                        "32x48",
                        "--frames",
                        "5",
                        "--guidance",
                        "1",
                        "--device",
                        "cpu",
                        "--json");

        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(outcome.out());
        assertThat(json.get("width").intValue()).isEqualTo(32);
        assertThat(json.get("height").intValue()).isEqualTo(48);
        assertThat(json.get("guided").booleanValue()).isFalse();
        assertThat(json.get("phases")).hasSize(3);
        assertThat(json.at("/phases/2/peak").longValue())
                .isGreaterThan(json.at("/phases/2/weights").longValue());
        assertThat(json.get("fits").booleanValue()).isTrue();
    }

    /**
     * The transformer on a million tokens takes more than that, whatever is loaded in turn or in
     * tiles.
     */
    @Test
    void whatDoesNotFitHasAnExitCodeAndAWayOut() {
        String[] clip = {
            "--size", "16384x16384", "--frames", "1", "--device", "cpu", "--memory", "1G"
        };
        CommandRun plan = run("plan", clip);
        assertThat(plan.code()).isEqualTo(ExitCode.DOES_NOT_FIT);
        assertThat(plan.out()).contains("nothing that this model makes at this size fits");
        CommandRun generate =
                run("generate", clip, "a red circle", "-o", "/tmp/never-to-be-written.mp4");
        assertThat(generate.code()).isEqualTo(ExitCode.DOES_NOT_FIT);
        assertThat(generate.err())
                .contains("1 frames of 16384x16384", "GB of memory in the")
                .doesNotContain("load ");
    }

    @Test
    void refusesWhatTheModelCannotMake() {
        assertThat(CommandRun.of("plan", "--size", "65x64").code()).isEqualTo(ExitCode.USAGE);
        CommandRun endless =
                CommandRun.of(
                        "plan", "--size", "16384x16384", "--frames", "4001", "--chunk", "off");
        assertThat(endless.code()).isEqualTo(ExitCode.USAGE);
        assertThat(endless.err()).contains("are 67175972864 numbers, expected at most");
        assertThat(CommandRun.of("plan", "--model", "/nowhere").code())
                .isEqualTo(ExitCode.BAD_FILE);
    }

    private static CommandRun run(String command, String[] clip, String... more) {
        String[] arguments = new String[1 + clip.length + more.length];
        arguments[0] = command;
        System.arraycopy(clip, 0, arguments, 1, clip.length);
        System.arraycopy(more, 0, arguments, 1 + clip.length, more.length);
        return CommandRun.of(arguments);
    }
}
