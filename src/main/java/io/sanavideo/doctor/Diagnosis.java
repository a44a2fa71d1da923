package io.sanavideo.doctor;

import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.doctor.Finding.Verdict;
import java.time.Duration;
import java.util.List;

/**
 * What an examination found.
 *
 * @param device what was examined, or measured alone where it is the CPU
 * @param card its description; null for the CPU
 * @param seed that inputs were drawn from
 * @param findings one a trial; none for the CPU, which is what cards are compared with
 * @param measurements how fast it is
 * @param elapsed how long it took
 */
public record Diagnosis(
        Device device,
        CudaDevice card,
        long seed,
        List<Finding> findings,
        List<Measurement> measurements,
        Duration elapsed) {
    public Diagnosis {
        findings = List.copyOf(findings);
        measurements = List.copyOf(measurements);
    }

    /** How many trials did not pass because of what came out. */
    public long failed() {
        return count(Verdict.FAIL);
    }

    /** How many trials the card did not do. */
    public long refused() {
        return count(Verdict.REFUSED);
    }

    private long count(Verdict verdict) {
        return findings.stream().filter(finding -> finding.verdict() == verdict).count();
    }

    /** How many trials are of NVFP4. */
    public long nvfp4() {
        return findings.stream().filter(Finding::isNvfp4).count();
    }

    /** Whether each trial passed. */
    public boolean isSound() {
        return findings.stream().allMatch(finding -> finding.verdict() == Verdict.PASS);
    }
}
