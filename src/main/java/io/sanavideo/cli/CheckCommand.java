package io.sanavideo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Precision;
import io.sanavideo.check.CheckOptions;
import io.sanavideo.check.CheckReport;
import io.sanavideo.check.Finding;
import io.sanavideo.check.FolderCheck;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video check}: a component or a model against its reference vectors. */
@Command(
        name = "check",
        description =
                "Runs what a folder holds on the inputs in its golden.safetensors and compares with the outputs there.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Exit code 0: all that was judged is inside its bound; 1: something is not; 2: nothing",
            "could be judged."
        })
final class CheckCommand implements Callable<Integer> {
    private static final String ROW = "%-34s %12s %12s  %-36s %s";

    @Parameters(
            paramLabel = "DIR",
            description =
                    "A component (transformer, text encoder, VAE), schedulers, noise, or a model folder.")
    private String folder;

    @Option(names = "--only", paramLabel = "decode|encode", description = "One side of a VAE.")
    private CheckOptions.Side side;

    @Option(names = "--mid", description = "Compares intermediate tensors too, unjudged.")
    private boolean intermediate;

    @Option(
            names = "--dtype",
            paramLabel = "f32|bf16|auto",
            defaultValue = "f32",
            description = "What weights and activations are (default: ${DEFAULT-VALUE}).")
    private String dtype;

    @Option(names = "--json", description = "Prints one JSON object on standard output.")
    private boolean json;

    @Mixin private DeviceOptions device;

    @Override
    public Integer call() {
        CheckOptions options =
                new CheckOptions(device.device(), Precision.parse(dtype), side, intermediate);
        CheckReport report = FolderCheck.run(ModelOptions.modelFolder(folder), options);
        if (json) {
            System.out.println(json(report, options));
        } else {
            print(report, options);
        }
        if (report.judged() == 0) {
            System.err.println(
                    "sana-video: %s: nothing could be judged by this version".formatted(folder));
            return ExitCode.USAGE;
        }
        return report.failed() == 0 ? ExitCode.DONE : ExitCode.FAILED;
    }

    private void print(CheckReport report, CheckOptions options) {
        System.out.println(
                "%s: %s, %s on %s"
                        .formatted(folder, report.subject(), dtype(options), options.device()));
        System.out.println(
                ROW.formatted("tensor", "relative L2", "max error", "judged by", "verdict"));
        for (Finding finding : report.findings()) {
            boolean compared = finding.error() != null;
            System.out.println(
                    ROW.formatted(
                            finding.tensor(),
                            compared ? number(finding.error().relativeL2()) : "",
                            compared ? number(finding.error().maxError()) : "",
                            finding.measure(),
                            finding.verdict().words()));
        }
        System.out.println(
                "%d of %d judged tensors inside their bounds"
                        .formatted(report.judged() - report.failed(), report.judged()));
    }

    private static String dtype(CheckOptions options) {
        return options.compute().name().toLowerCase(Locale.ROOT);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.3e", value);
    }

    private ObjectNode json(CheckReport report, CheckOptions options) {
        ObjectNode object =
                new ObjectMapper()
                        .createObjectNode()
                        .put("folder", folder)
                        .put("subject", report.subject())
                        .put("dtype", dtype(options))
                        .put("device", options.device().toString())
                        .put("judged", report.judged())
                        .put("failed", report.failed());
        ArrayNode tensors = object.putArray("tensors");
        for (Finding finding : report.findings()) {
            ObjectNode tensor = tensors.addObject().put("name", finding.tensor());
            if (finding.error() != null) {
                tensor.put("relative_l2", finding.error().relativeL2());
                tensor.put("max_error", finding.error().maxError());
            }
            tensor.put("judged_by", finding.measure());
            tensor.put("verdict", finding.verdict().name().toLowerCase(Locale.ROOT));
        }
        return object;
    }
}
