package io.sanavideo.runtime.vendor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.Kernels;
import io.sanavideo.Kernels.Use;
import io.sanavideo.runtime.Alternative;
import io.sanavideo.runtime.CacheFile;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Native;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * Who does which {@link Problem} on a card. What is not known is measured before a run, and kept in
 * {@code kernels.json} for the same card, driver, libraries and build. Without a library all is
 * done by own kernels, and nothing is measured.
 */
public final class KernelChoices implements AutoCloseable {
    private static final String FILE = "kernels.json";
    private static final String RECIPE = "kernels";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Map<LibraryName, Use> asked;
    private final Map<LibraryName, String> versions;
    private final boolean fromRecipe;
    private final CacheFile file = new CacheFile(FILE);
    private final String key;
    private final Map<String, Choice> known = new HashMap<>();

    /**
     * What was looked up in them: ops ask each time, and a problem's text is long in the making.
     */
    private final Map<Problem, Choice> found = new HashMap<>();

    private Libraries libraries;

    private KernelChoices(
            Map<LibraryName, Use> asked,
            Map<LibraryName, String> versions,
            boolean fromRecipe,
            String key) {
        this.asked = asked;
        this.versions = versions;
        this.fromRecipe = fromRecipe;
        this.key = key;
    }

    /**
     * The choices for a device. A card that is not here has own kernels.
     *
     * @throws IllegalArgumentException when a library is asked for on the CPU, or the recipe is not
     *     one
     * @throws DeviceException when a library is asked for that cannot be used here, or the recipe's
     *     are not those that are here
     */
    public static KernelChoices of(Device device, Kernels kernels) {
        Map<LibraryName, Use> asked = new LinkedHashMap<>();
        asked.put(LibraryName.CUBLASLT, kernels.products());
        asked.put(LibraryName.CUDNN, kernels.convolutions());
        Map<LibraryName, String> versions = new LinkedHashMap<>();
        for (LibraryName name : LibraryName.values()) {
            if (asked.get(name) == Use.OWN) {
                continue;
            }
            String reason = "the device is " + device;
            if (device.kind() == Device.Kind.CUDA) {
                Libraries.Status status = Libraries.status(name, device);
                if (status.usable()) {
                    versions.put(name, status.version());
                    continue;
                }
                reason = status.reason();
            }
            if (asked.get(name) == Use.LIBRARY) {
                String message = "%s was asked for: %s".formatted(name.label(), reason);
                throw device.kind() == Device.Kind.CPU
                        ? new IllegalArgumentException(message)
                        : new DeviceException(message);
            }
        }
        boolean fromRecipe = kernels.recipe() != null;
        KernelChoices choices =
                new KernelChoices(
                        asked,
                        versions,
                        fromRecipe,
                        versions.isEmpty() ? "" : key(device, asked, versions));
        if (fromRecipe) {
            choices.takeFrom(kernels.recipe());
        } else if (!versions.isEmpty()) {
            choices.take(choices.file.read().path(choices.key));
        }
        return choices;
    }

    private static String key(
            Device device, Map<LibraryName, Use> asked, Map<LibraryName, String> versions) {
        CudaDevice card = CudaDevice.all().get(device.index());
        return "%s, driver for CUDA %s, %s, %s, build %s %s"
                .formatted(
                        card.name(),
                        card.driver(),
                        asked,
                        versions,
                        Native.version(),
                        Native.cudaKernels());
    }

    private void take(JsonNode choices) {
        choices.fields()
                .forEachRemaining(
                        field -> {
                            try {
                                known.put(field.getKey(), Choice.parse(field.getValue().asText()));
                            } catch (IllegalArgumentException e) {
                                // A line that nobody wrote like this is measured anew.
                            }
                        });
    }

    /**
     * Whether a device has the libraries that a recipe's kernels are of, in their versions.
     *
     * @param libraries versions by {@link LibraryName#label()}
     */
    public static boolean has(Device device, Map<String, String> libraries) {
        if (device.kind() == Device.Kind.CPU) {
            return libraries.isEmpty();
        }
        return libraries.entrySet().stream()
                .allMatch(
                        library -> {
                            LibraryName name = LibraryName.parse(library.getKey());
                            return library.getValue()
                                    .equals(Libraries.status(name, device).version());
                        });
    }

    private void takeFrom(String recipe) {
        JsonNode kernels;
        try {
            kernels = MAPPER.readTree(recipe).path(RECIPE);
        } catch (IOException e) {
            throw new IllegalArgumentException("the recipe is no JSON: " + e.getMessage(), e);
        }
        kernels.path("libraries")
                .fields()
                .forEachRemaining(
                        field -> {
                            String here =
                                    versions.getOrDefault(
                                            LibraryName.parse(field.getKey()), "not here");
                            if (!field.getValue().asText().equals(here)) {
                                throw new DeviceException(
                                        "the recipe's %s is %s, that of this machine is %s"
                                                .formatted(
                                                        field.getKey(),
                                                        field.getValue().asText(),
                                                        here));
                            }
                        });
        kernels.path("choices")
                .fields()
                .forEachRemaining(
                        field ->
                                known.put(field.getKey(), Choice.parse(field.getValue().asText())));
    }

    private Choice of(Problem problem) {
        return found.computeIfAbsent(problem, p -> known.getOrDefault(p.toString(), Choice.OWN));
    }

    /** Runs a context's ops as chosen here, from now on. */
    public void applyTo(Context context) {
        if (!versions.isEmpty()) {
            if (libraries == null && !context.isDry()) {
                libraries = Libraries.open(context);
            }
            context.offerTo(
                    new ChosenKernels(context, context.isDry() ? null : libraries, this::of));
        }
    }

    /** As {@link #applyTo} on a dry context, and notes the problems that its ops are. */
    public void applyTo(Context dry, Set<Problem> seen) {
        ChosenKernels chosen = new ChosenKernels(dry, null, this::of);
        dry.offerTo(versions.isEmpty() ? Alternative.NONE : new SeenProblems(chosen, seen));
    }

    /** Which of these would have to be measured. */
    public List<Problem> unknown(Collection<Problem> problems) {
        if (fromRecipe) {
            return List.of();
        }
        return problems.stream()
                .filter(
                        problem ->
                                versions.keySet().stream()
                                        .anyMatch(n -> n.kind() == problem.kind()))
                .filter(problem -> !known.containsKey(problem.toString()))
                .toList();
    }

    /** Runs ops once, and measures what they come across: for benchmarks. */
    public void chooseFor(Context context, Runnable body) {
        Set<Problem> seen = new LinkedHashSet<>();
        context.offerTo(new SeenProblems(Alternative.NONE, seen));
        body.run();
        measure(context, unknown(seen), done -> {});
    }

    /**
     * Measures problems on a card, whose ops run as chosen afterwards.
     *
     * @param done hears how many are done
     */
    public void measure(Context context, List<Problem> problems, IntConsumer done) {
        applyTo(context);
        if (problems.isEmpty()) {
            return;
        }
        KernelTrial trial = new KernelTrial(context, libraries);
        ObjectNode all = file.read();
        try {
            for (int i = 0; i < problems.size(); i++) {
                Problem problem = problems.get(i);
                Choice choice;
                try {
                    choice = trial.choose(problem, asked.get(libraryOf(problem)) == Use.LIBRARY);
                    all.withObject("/" + escaped(key)).put(problem.toString(), choice.toString());
                } catch (DoesNotFitException e) {
                    // Where its operands do not fit there is nothing to measure, this time.
                    choice = Choice.OWN;
                }
                known.put(problem.toString(), choice);
                found.remove(problem);
                done.accept(i + 1);
            }
        } finally {
            applyTo(context);
            file.write(all);
        }
    }

    /** As a part of a JSON pointer. */
    private static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private static LibraryName libraryOf(Problem problem) {
        return Stream.of(LibraryName.values())
                .filter(name -> name.kind() == problem.kind())
                .findFirst()
                .orElseThrow();
    }

    /** Puts what did these problems into a recipe. */
    public void describe(ObjectNode recipe, Collection<Problem> problems) {
        ObjectNode kernels = recipe.putObject(RECIPE);
        ObjectNode used = kernels.putObject("libraries");
        versions.forEach((name, version) -> used.put(name.label(), version));
        ObjectNode choices = kernels.putObject("choices");
        for (Problem problem : problems) {
            choices.put(problem.toString(), of(problem).toString());
        }
    }

    /** Frees the libraries, before their context goes. */
    @Override
    public void close() {
        if (libraries != null) {
            libraries.close();
            libraries = null;
        }
    }
}
