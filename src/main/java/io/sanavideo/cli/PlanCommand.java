package io.sanavideo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Model;
import io.sanavideo.Plan;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video plan}: what a generation would take. */
@Command(
        name = "plan",
        description = {
            "Says what a 'generate' with the same flags would take: memory, disk, and time",
            "where clips were made before. Nothing is loaded; a card need not be there."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class PlanCommand implements Callable<Integer> {
    private static final double GB = 1e9;
    private static final String ROW = "  %-9s%10.3f%10.3f%n";

    @Parameters(paramLabel = "PROMPT", arity = "0..1", description = "May be left out.")
    private String prompt;

    @Option(
            names = "--story",
            paramLabel = "FILE",
            description = "A film of several beats, as a YAML file says.")
    private Path story;

    @Mixin private ClipOptions clip;

    @Mixin private ModelOptions options;

    @Mixin private LoraOptions loras;

    @Mixin private KernelOptions kernels;

    @Option(names = "--json", description = "Prints one JSON object on standard output.")
    private boolean json;

    // So that the flags of a generate can stay as they are; they change nothing that is planned.
    @Option(
            names = {
                "-o",
                "--output",
                "--count",
                "--prompt-file",
                "--quality",
                "--latents-out",
                "--project",
                "--sheet",
                "--timeline"
            },
            hidden = true)
    private List<String> withoutEffect;

    @Option(
            names = {"--quiet", "--strict", "--timecode"},
            hidden = true)
    private boolean quiet;

    @Override
    public Integer call() {
        Asked asked =
                story != null
                        ? Asked.of(clip.story(story))
                        : Asked.of(
                                clip.request(
                                        prompt == null ? "a clip" : prompt,
                                        clip.firstSeed(),
                                        clip.material()));
        Plan plan = asked.plan(loras.adapted(options.model(clip.model(), kernels.kernels())));
        System.out.print(json ? json(plan) + System.lineSeparator() : text(plan));
        return plan.fits() ? ExitCode.DONE : ExitCode.DOES_NOT_FIT;
    }

    private static String text(Plan plan) {
        StringBuilder text = new StringBuilder();
        text.append(
                "%d frames of %dx%d, %d steps%s, on %s, transformer in %s%n"
                        .formatted(
                                plan.format().frames(),
                                plan.format().width(),
                                plan.format().height(),
                                plan.steps(),
                                plan.guided() ? " of two branches" : "",
                                plan.device(),
                                plan.dtypes().get("transformer").toLowerCase(Locale.ROOT)));
        text.append("memory, GB  weights      peak%n".formatted());
        for (Plan.PhaseMemory phase : plan.phases()) {
            text.append(
                    ROW.formatted(
                            phase.phase().name().toLowerCase(Locale.ROOT),
                            phase.weights() / GB,
                            phase.peak() / GB));
        }
        text.append(verdict(plan)).append(System.lineSeparator());
        plan.notes().forEach(note -> text.append(note).append(System.lineSeparator()));
        plan.warnings()
                .forEach(
                        warning ->
                                text.append("warning: ")
                                        .append(warning)
                                        .append(System.lineSeparator()));
        text.append("weights on disk: %.3f GB%n".formatted(plan.disk() / GB));
        return text.append(
                        plan.time() == null
                                ? "time: not known, no clip of about this size was made here yet%n"
                                        .formatted()
                                : "time: %.1f s once loaded, as earlier clips took here%n"
                                        .formatted(plan.time().toMillis() / 1000.0))
                .toString();
    }

    private static String verdict(Plan plan) {
        if (plan.available() == Plan.UNKNOWN) {
            return "this machine has no such device: whether it fits is not known";
        }
        String free = "%s has %.3f GB to give: ".formatted(plan.device(), plan.available() / GB);
        if (!plan.fits()) {
            return free
                    + (plan.alternatives().isEmpty()
                            ? "nothing that this model makes at this size fits"
                            : "it does not fit; what would: "
                                    + String.join("; ", plan.alternatives()));
        }
        String tiles =
                plan.tile() == Model.WHOLE_FRAMES
                        ? ""
                        : ", and frames are decoded in tiles of %dx%d pixels"
                                .formatted(plan.tile(), plan.tile());
        if (plan.streamed()) {
            return free + "it fits when layers are read anew each time that they run" + tiles;
        }
        return free
                + (plan.inTurn()
                        ? "it fits when components are loaded and freed in turn"
                        : "it fits, all components together")
                + tiles;
    }

    private static ObjectNode json(Plan plan) {
        ObjectNode json =
                new ObjectMapper()
                        .createObjectNode()
                        .put("device", plan.device().toString())
                        .put("width", plan.format().width())
                        .put("height", plan.format().height())
                        .put("frames", plan.format().frames())
                        .put("steps", plan.steps())
                        .put("guided", plan.guided());
        ObjectNode dtypes = json.putObject("dtype");
        plan.dtypes().forEach(dtypes::put);
        ArrayNode phases = json.putArray("phases");
        for (Plan.PhaseMemory phase : plan.phases()) {
            phases.addObject()
                    .put("phase", phase.phase().name().toLowerCase(Locale.ROOT))
                    .put("weights", phase.weights())
                    .put("peak", phase.peak());
        }
        json.put("in_turn", plan.inTurn()).put("streamed", plan.streamed());
        json.put("tile", plan.tile());
        json.put("disk", plan.disk()).put("fits", plan.fits());
        if (plan.available() != Plan.UNKNOWN) {
            json.put("available", plan.available());
        }
        if (plan.time() != null) {
            json.put("time_s", plan.time().toMillis() / 1000.0);
        }
        ArrayNode notes = json.putArray("notes");
        plan.notes().forEach(notes::add);
        ArrayNode warnings = json.putArray("warnings");
        plan.warnings().forEach(warnings::add);
        ArrayNode alternatives = json.putArray("alternatives");
        plan.alternatives().forEach(alternatives::add);
        return json;
    }
}
