package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Programs of their own, whose Java heap is in memory from the start: what else they take, whoever
 * allocates it, does not grow with what they have made.
 */
class ResidentSetTest {
    private static final Map<String, String> STEADY =
            Map.of(
                    "JAVA_TOOL_OPTIONS",
                    ResidentSet.STEADY_HEAP + " -XX:+UseSerialGC -XX:TieredStopAtLevel=1");
    private static final double TOLERANCE = 0.03;

    @TempDir private Path folder;

    /** The short form of bench/soak: a leak of 150 kB a generation is found. */
    @Test
    void comesBackAfterManyGenerations() throws Exception {
        CommandRun run =
                ChildProcess.run(STEADY, "bench", "soak", "--runs", "60", "--device", "cpu");
        assertThat(run.out())
                .contains("tensors: exactly what they were after 6")
                .containsPattern("resident set: [+-][0-9.]+% since the 6 first, within 3%");
        assertThat(run.code()).isZero();
    }

    @Test
    void aMinuteTakesWhatTenSecondsTake() throws Exception {
        long few = peak(10);
        long many = peak(60);
        assertThat((double) many / few)
                .as("%d kB for 60 s, %d kB for 10 s", many, few)
                .isLessThan(1 + TOLERANCE);
    }

    /** The largest resident set of a program that makes a video, in kB. */
    private long peak(int seconds) throws Exception {
        Path err = folder.resolve(seconds + ".err");
        Process process =
                ChildProcess.start(
                        STEADY,
                        err,
                        "generate",
                        "a red circle",
                        "--seconds",
                        Integer.toString(seconds),
                        "--steps",
                        "2",
                        "--seed",
                        "1",
                        "--device",
                        "cpu",
                        "--quiet",
                        "-o",
                        folder.resolve(seconds + ".mp4").toString());
        Path status = Path.of("/proc/" + process.pid() + "/status");
        long peak = 0;
        while (process.isAlive()) {
            peak = Math.max(peak, field(status, "VmHWM:"));
            Thread.sleep(10);
        }
        assertThat(process.exitValue()).as(Files.readString(err)).isZero();
        return peak;
    }

    /** 0 where the process has none any more. */
    private static long field(Path status, String name) throws Exception {
        try {
            return Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }
}
