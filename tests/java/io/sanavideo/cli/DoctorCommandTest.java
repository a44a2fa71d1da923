package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    private static final String EMULATOR = System.getProperty("sanavideo.emulator");

    private static CommandRun withoutDriver(String... arguments) throws Exception {
        Map<String, String> environment = new HashMap<>();
        environment.put("SANA_CUDA_LIBRARY", EMULATOR);
        environment.put("SIMT_DRIVER", "0");
        return ChildProcess.run(environment, arguments);
    }

    /** On a card, or its emulator. */
    @Tag("gpu")
    @Test
    void examinesThisMachinesCard() throws Exception {
        CommandRun run = CommandRun.of("doctor", "--device", "cuda", "--json");

        JsonNode json = new ObjectMapper().readTree(run.out());
        assertThat(json.get("device").textValue()).isEqualTo("cuda:0");
        assertThat(json.get("sound").booleanValue()).as(run.out()).isTrue();
        assertThat(json.get("trials"))
                .hasSizeGreaterThan(90)
                .allMatch(trial -> trial.get("verdict").textValue().equals("pass"));
        assertThat(run.code()).isEqualTo(ExitCode.DONE);
        assertThat(json.at("/measurements/0/unit").textValue()).isEqualTo("GB/s");
        assertThat(run.err()).contains("examine", "linear");
    }

    /** The instruction takes scales from other lanes than documented. */
    @Test
    void findsACardThatMultipliesInAnotherWay() throws Exception {
        Map<String, String> environment = new HashMap<>();
        environment.put("SANA_CUDA_LIBRARY", EMULATOR);
        environment.put("SIMT_NVFP4_SWAPPED", "1");
        environment.put("OMP_WAIT_POLICY", "passive");

        CommandRun run = ChildProcess.run(environment, "doctor", "--device", "cuda");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.FAILED);
        assertThat(run.out())
                .startsWith("cuda:0: SIMT emulator, compute capability 9.0")
                .containsPattern("nvfp4_probe .* FAIL: .*scale 0 of a's row 0, supplied by lane 0")
                .containsPattern("\nlinear bf16 35 x 224 -> 224, bias, SiLU .*  pass\n")
                .containsPattern(
                        "\nverdict: SIMT emulator DOES NOT compute what the CPU computes: of \\d+ trials 1 failed and \\d+ were refused \\(nvfp4_probe, nvfp4_linear, nvfp4_temporal_convolution\\)");
    }

    @Test
    void saysWhyThereIsNoCardToExamine() throws Exception {
        CommandRun run = withoutDriver("doctor");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        assertThat(run.out())
                .startsWith("cpu: kernels v")
                .containsPattern("memory +add f32, [0-9]+ MB .* GB/s")
                .containsPattern("NVFP4 products +linear [0-9]+ x 2240 -> 13440 .* TFLOP/s")
                .contains("no card was examined: no CUDA device can be used: no NVIDIA driver");
    }

    @Test
    void aCardThatIsAskedForAndMissingIsAnError() throws Exception {
        CommandRun run = withoutDriver("doctor", "--device", "cuda");

        assertThat(run.code()).isEqualTo(ExitCode.DEVICE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("no NVIDIA driver is installed");
    }
}
