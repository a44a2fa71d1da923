package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.doctor.Diagnosis;
import io.sanavideo.doctor.Finding;
import io.sanavideo.doctor.Finding.Measure;
import io.sanavideo.doctor.Finding.Verdict;
import io.sanavideo.doctor.Measurement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class DoctorReportTest {
    private static final Finding GOOD =
            new Finding(
                    "linear",
                    "linear bf16 3 x 4 -> 5",
                    Verdict.PASS,
                    Measure.RELATIVE_L2,
                    1.25e-4,
                    4e-3,
                    "");
    private static final Finding SAME =
            new Finding(
                    "nvfp4_quantize",
                    "nvfp4_quantize f32 3 x 4",
                    Verdict.PASS,
                    Measure.BYTES,
                    0,
                    0,
                    "12 places");
    private static final Finding WRONG =
            new Finding(
                    "nvfp4_linear",
                    "nvfp4_linear f32 3 x 4 -> 5",
                    Verdict.FAIL,
                    Measure.RELATIVE_L2,
                    Double.NaN,
                    1e-6,
                    "out is off by NaN, allowed 1.0e-06");
    private static final Finding REFUSED =
            new Finding(
                    "nvfp4_from_slabs",
                    "nvfp4_from_slabs 3 x 4",
                    Verdict.REFUSED,
                    null,
                    0,
                    0,
                    "not there yet");
    private static final Measurement MEMORY =
            new Measurement("memory", "add f32, 403 MB", 1523.4, "GB/s", 2.64e-4, "");
    private static final Measurement NONE =
            new Measurement("NVFP4 products", "", Double.NaN, "", Double.NaN, "not there yet");

    private static DoctorReport report(Finding... findings) {
        CudaDevice card = new CudaDevice(1, "A card", "12.0", 170, "13.0", true, 1L << 35, 1 << 30);
        return new DoctorReport(
                new Diagnosis(
                        Device.cuda(1),
                        card,
                        9,
                        List.of(findings),
                        List.of(MEMORY, NONE),
                        Duration.ofMillis(12_340)),
                null);
    }

    private static String verdict(String text) {
        return text.lines().reduce((first, last) -> last).orElseThrow();
    }

    @Test
    void aSoundCard() {
        String text = report(GOOD, SAME).text();

        assertThat(text.lines().findFirst().orElseThrow())
                .startsWith(
                        "cuda:1: A card, compute capability 12.0, 170 multiprocessors, driver for CUDA 13.0; kernels ");
        assertThat(text)
                .contains("; seed 9")
                .containsPattern("linear bf16 3 x 4 -> 5 +1\\.3e-04 +4\\.0e-03  pass\n")
                .containsPattern("nvfp4_quantize f32 3 x 4 +0 bytes +0 bytes  pass: 12 places\n")
                .containsPattern("memory +add f32, 403 MB +0\\.264 ms +1523 GB/s\n")
                .containsPattern("NVFP4 products +not measured: not there yet\n");
        assertThat(verdict(text))
                .isEqualTo(
                        "verdict: A card computes what the CPU computes: 2 of 2 trials passed, 1 of them of NVFP4");
    }

    @Test
    void aWrongCard() {
        String text = report(GOOD, WRONG, REFUSED).text();

        assertThat(text)
                .containsPattern(
                        "nvfp4_linear .* NaN +1\\.0e-06  FAIL: out is off by NaN, allowed 1\\.0e-06\n")
                .containsPattern("nvfp4_from_slabs 3 x 4 +REFUSED: not there yet\n");
        assertThat(verdict(text))
                .isEqualTo(
                        "verdict: A card DOES NOT compute what the CPU computes: of 3 trials 1 failed and 1 were refused (nvfp4_linear, nvfp4_from_slabs)");
    }

    @Test
    void aCardThatRefuses() {
        assertThat(verdict(report(GOOD, REFUSED).text()))
                .isEqualTo(
                        "verdict: A card computes what the CPU computes in 1 of 2 trials, and refused 1 (nvfp4_from_slabs)");
    }

    @Test
    void noCard() {
        Diagnosis cpu =
                new Diagnosis(
                        Device.cpu(), null, 9, List.of(), List.of(MEMORY), Duration.ofSeconds(1));

        assertThat(verdict(new DoctorReport(cpu, "no driver").text()))
                .isEqualTo(
                        "verdict: no card was examined: no driver; the CPU is what cards are compared with");
        assertThat(new DoctorReport(cpu, null).text())
                .startsWith("cpu: kernels v")
                .doesNotContain("trial", "seed")
                .endsWith(
                        "verdict: no card was examined; the CPU is what cards are compared with\n");
    }

    @Test
    void inJson() throws Exception {
        JsonNode json = new ObjectMapper().readTree(report(GOOD, WRONG, REFUSED).json().toString());

        assertThat(json.get("device").textValue()).isEqualTo("cuda:1");
        assertThat(json.get("name").textValue()).isEqualTo("A card");
        assertThat(json.get("compute_capability").textValue()).isEqualTo("12.0");
        assertThat(json.get("seed").intValue()).isEqualTo(9);
        assertThat(json.get("elapsed_s").doubleValue()).isEqualTo(12.34);
        assertThat(json.get("sound").booleanValue()).isFalse();
        assertThat(json.get("failed").intValue()).isEqualTo(1);
        assertThat(json.get("refused").intValue()).isEqualTo(1);
        assertThat(json.at("/trials/0/op").textValue()).isEqualTo("linear");
        assertThat(json.at("/trials/0/verdict").textValue()).isEqualTo("pass");
        assertThat(json.at("/trials/0/measure").textValue()).isEqualTo("relative_l2");
        assertThat(json.at("/trials/0/error").doubleValue()).isEqualTo(1.25e-4);
        assertThat(json.at("/trials/0/bound").doubleValue()).isEqualTo(4e-3);
        assertThat(json.at("/trials/0").has("detail")).isFalse();
        assertThat(json.at("/trials/1/error").isNull()).isTrue();
        assertThat(json.at("/trials/1/detail").textValue()).contains("off by NaN");
        assertThat(json.at("/trials/2/verdict").textValue()).isEqualTo("refused");
        assertThat(json.at("/trials/2").has("measure")).isFalse();
        assertThat(json.at("/measurements/0/value").doubleValue()).isEqualTo(1523.4);
        assertThat(json.at("/measurements/0/unit").textValue()).isEqualTo("GB/s");
        assertThat(json.at("/measurements/1/not_measured").textValue()).isEqualTo("not there yet");
        assertThat(json.get("verdict").textValue()).startsWith("A card DOES NOT");
    }
}
