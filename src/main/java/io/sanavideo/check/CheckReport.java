package io.sanavideo.check;

import java.util.List;

/**
 * What a check found.
 *
 * @param subject what was checked, in words
 * @param findings one an output tensor
 */
public record CheckReport(String subject, List<Finding> findings) {
    public CheckReport {
        findings = List.copyOf(findings);
    }

    /** How many tensors were judged. */
    public long judged() {
        return findings.stream().filter(Finding::isJudged).count();
    }

    /** How many of them are outside their bound. */
    public long failed() {
        return findings.stream().filter(finding -> finding.verdict() == Verdict.FAIL).count();
    }
}
