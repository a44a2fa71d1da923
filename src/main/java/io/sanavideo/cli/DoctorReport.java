package io.sanavideo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.doctor.Diagnosis;
import io.sanavideo.doctor.Finding;
import io.sanavideo.doctor.Finding.Measure;
import io.sanavideo.doctor.Finding.Verdict;
import io.sanavideo.doctor.Measurement;
import io.sanavideo.runtime.Native;
import java.util.Locale;
import java.util.stream.Collectors;

/** What {@code doctor} prints of an examination. */
final class DoctorReport {
    private static final String ROW = "%-78s %10s %10s  %s";

    private final Diagnosis diagnosis;
    private final String whyNoCard;

    /**
     * @param whyNoCard why {@code auto} became the CPU; null when something else was asked for
     */
    DoctorReport(Diagnosis diagnosis, String whyNoCard) {
        this.diagnosis = diagnosis;
        this.whyNoCard = whyNoCard;
    }

    String text() {
        StringBuilder text = new StringBuilder();
        line(text, subject());
        if (!diagnosis.findings().isEmpty()) {
            line(
                    text,
                    "compared with the CPU, kernels %s; seed %d"
                            .formatted(Native.cpuVariant(), diagnosis.seed()));
            line(text, "");
            line(text, ROW.formatted("trial", "error", "bound", "verdict"));
        }
        for (Finding finding : diagnosis.findings()) {
            line(text, row(finding));
        }
        line(text, "");
        for (Measurement one : diagnosis.measurements()) {
            line(
                    text,
                    one.isMeasured()
                            ? "%-16s %-32s %10.3f ms %10.4g %s"
                                    .formatted(
                                            one.name(),
                                            one.work(),
                                            one.seconds() * 1e3,
                                            one.value(),
                                            one.unit())
                            : "%-16s not measured: %s".formatted(one.name(), one.reason()));
        }
        line(text, "");
        line(text, "verdict: " + verdict());
        return text.toString();
    }

    private static void line(StringBuilder text, String line) {
        text.append(line.stripTrailing()).append(System.lineSeparator());
    }

    private String subject() {
        if (diagnosis.card() == null) {
            return "cpu: kernels " + Native.cpuVariant();
        }
        return "%s: %s, compute capability %s, %d multiprocessors, driver for CUDA %s; kernels %s"
                .formatted(
                        diagnosis.device(),
                        diagnosis.card().name(),
                        diagnosis.card().capability(),
                        diagnosis.card().multiprocessors(),
                        diagnosis.card().driver(),
                        Native.cudaKernels());
    }

    private static String row(Finding finding) {
        String error = "";
        String bound = "";
        if (finding.measure() == Measure.BYTES) {
            error = "%.0f bytes".formatted(finding.error());
            bound = "0 bytes";
        } else if (finding.measure() != null) {
            error = String.format(Locale.ROOT, "%.1e", finding.error());
            bound = String.format(Locale.ROOT, "%.1e", finding.bound());
        }
        String verdict =
                switch (finding.verdict()) {
                    case PASS -> finding.detail().isEmpty() ? "pass" : "pass: " + finding.detail();
                    case FAIL -> "FAIL: " + finding.detail();
                    case REFUSED -> "REFUSED: " + finding.detail();
                };
        return ROW.formatted(finding.trial(), error, bound, verdict);
    }

    private String verdict() {
        if (diagnosis.card() == null) {
            return "no card was examined%s; the CPU is what cards are compared with"
                    .formatted(whyNoCard == null ? "" : ": " + whyNoCard);
        }
        int all = diagnosis.findings().size();
        if (diagnosis.isSound()) {
            return "%s computes what the CPU computes: %d of %d trials passed, %d of them of NVFP4"
                    .formatted(diagnosis.card().name(), all, all, diagnosis.nvfp4());
        }
        String ops =
                diagnosis.findings().stream()
                        .filter(finding -> finding.verdict() != Verdict.PASS)
                        .map(Finding::op)
                        .distinct()
                        .collect(Collectors.joining(", "));
        long failed = diagnosis.failed();
        long refused = diagnosis.refused();
        return failed > 0
                ? "%s DOES NOT compute what the CPU computes: of %d trials %d failed and %d were refused (%s)"
                        .formatted(diagnosis.card().name(), all, failed, refused, ops)
                : "%s computes what the CPU computes in %d of %d trials, and refused %d (%s)"
                        .formatted(diagnosis.card().name(), all - refused, all, refused, ops);
    }

    ObjectNode json() {
        ObjectNode object =
                new ObjectMapper()
                        .createObjectNode()
                        .put("version", Native.version())
                        .put("device", diagnosis.device().toString());
        if (diagnosis.card() != null) {
            object.put("name", diagnosis.card().name())
                    .put("compute_capability", diagnosis.card().capability())
                    .put("multiprocessors", diagnosis.card().multiprocessors())
                    .put("driver", diagnosis.card().driver())
                    .put("cuda_kernels", Native.cudaKernels());
        }
        object.put("cpu_kernels", Native.cpuVariant())
                .put("seed", diagnosis.seed())
                .put("elapsed_s", diagnosis.elapsed().toMillis() / 1e3)
                .put("sound", diagnosis.isSound())
                .put("failed", diagnosis.failed())
                .put("refused", diagnosis.refused());
        ArrayNode trials = object.putArray("trials");
        for (Finding finding : diagnosis.findings()) {
            ObjectNode trial =
                    trials.addObject()
                            .put("op", finding.op())
                            .put("trial", finding.trial())
                            .put("verdict", lower(finding.verdict()));
            if (finding.measure() != null) {
                trial.put("measure", lower(finding.measure()));
                number(trial, "error", finding.error());
                trial.put("bound", finding.bound());
            }
            if (!finding.detail().isEmpty()) {
                trial.put("detail", finding.detail());
            }
        }
        ArrayNode measurements = object.putArray("measurements");
        for (Measurement one : diagnosis.measurements()) {
            ObjectNode measurement = measurements.addObject().put("name", one.name());
            if (one.isMeasured()) {
                measurement
                        .put("work", one.work())
                        .put("seconds", one.seconds())
                        .put("value", one.value())
                        .put("unit", one.unit());
            } else {
                measurement.put("not_measured", one.reason());
            }
        }
        return object.put("verdict", verdict());
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** JSON has no NaN. */
    private static void number(ObjectNode node, String name, double value) {
        if (Double.isNaN(value)) {
            node.putNull(name);
        } else {
            node.put(name, value);
        }
    }
}
