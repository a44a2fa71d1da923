package io.sanavideo.check;

import io.sanavideo.ModelFormatException;
import io.sanavideo.model.Comparison;
import io.sanavideo.model.ComponentCheck;
import io.sanavideo.model.GoldenTensors;
import io.sanavideo.runtime.Context;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A transformer, a text encoder or a VAE: {@code config.json} with its weights. */
final class ModelComponentCheck implements GoldenCheck {
    private static final String INTERMEDIATE = "mid.";

    @Override
    public CheckReport run(Path folder, GoldenTensors golden, CheckOptions options) {
        ComponentCheck check = ComponentCheck.of(folder);
        List<Finding> findings = new ArrayList<>();
        for (Comparison error : compare(check, folder, options)) {
            findings.add(
                    error.tensor().startsWith(INTERMEDIATE)
                            ? Finding.notJudged(error)
                            : Finding.below(options.bound(), error));
        }
        if (options.intermediate()) {
            golden.names().stream()
                    .filter(name -> name.startsWith(INTERMEDIATE))
                    .filter(
                            name ->
                                    findings.stream()
                                            .noneMatch(found -> found.tensor().equals(name)))
                    .forEach(name -> findings.add(Finding.notShown(name)));
        }
        check.notBuilt().stream()
                .filter(golden::has)
                .filter(name -> VaeSides.covers(options.side(), name))
                .forEach(name -> findings.add(Finding.notBuilt(name)));
        return new CheckReport(check.component(), findings);
    }

    private static List<Comparison> compare(
            ComponentCheck check, Path folder, CheckOptions options) {
        try (Context context = options.context()) {
            return check.run(
                    context,
                    folder,
                    options.compute(),
                    options.intermediate(),
                    output -> VaeSides.covers(options.side(), output));
        } catch (IllegalArgumentException e) {
            // All requests come from the file.
            throw new ModelFormatException(
                    "%s: does not fit the component: %s"
                            .formatted(folder.resolve(GoldenTensors.FILE), e.getMessage()),
                    e);
        }
    }
}
