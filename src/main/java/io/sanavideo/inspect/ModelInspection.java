package io.sanavideo.inspect;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Receipt;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A model folder in the diffusers layout: which components it has, and how large they are.
 *
 * @param receipt of a quantised model; null where there is none
 */
record ModelInspection(Path folder, String className, List<Component> components, Receipt receipt)
        implements Inspection {
    static final String INDEX = "model_index.json";

    /**
     * One component.
     *
     * @param weights null where it has none, as tokenizers and schedulers
     */
    record Component(String name, String className, boolean present, Weights weights) {}

    static ModelInspection of(Path folder) {
        Json index = Json.read(folder.resolve(INDEX));
        List<Component> components = new ArrayList<>();
        for (String name : index.keys()) {
            JsonNode classOf = index.node().get(name);
            // Entries are [library, class]; [null, null] is a component that the model goes
            // without.
            if (classOf.isArray() && classOf.size() == 2 && classOf.get(1).isTextual()) {
                Path path = folder.resolve(name);
                boolean present = Files.isDirectory(path);
                components.add(
                        new Component(
                                name,
                                classOf.get(1).textValue(),
                                present,
                                present && hasWeights(path) ? weights(path) : null));
            }
        }
        Receipt receipt = Files.exists(folder.resolve(Receipt.FILE)) ? Receipt.read(folder) : null;
        return new ModelInspection(folder, index.requiredText("_class_name"), components, receipt);
    }

    private static boolean hasWeights(Path component) {
        try (Stream<Path> files = Files.list(component)) {
            return files.anyMatch(file -> file.getFileName().toString().contains(".safetensors"));
        } catch (IOException e) {
            throw new ModelFormatException(component + ": cannot be listed: " + e, e);
        }
    }

    private static Weights weights(Path component) {
        try (Checkpoint checkpoint = Checkpoint.open(component)) {
            return Weights.of(checkpoint.files());
        }
    }

    private long parameters() {
        return components.stream()
                .filter(component -> component.weights() != null)
                .mapToLong(component -> component.weights().parameters())
                .sum();
    }

    @Override
    public ObjectNode json() {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "model").put("folder", folder.toString()).put("class", className);
        object.put("parameters", parameters());
        ObjectNode all = object.putObject("components");
        for (Component component : components) {
            ObjectNode entry =
                    all.putObject(component.name())
                            .put("class", component.className())
                            .put("present", component.present());
            if (component.weights() != null) {
                component.weights().putTotals(entry);
            }
        }
        if (receipt != null) {
            object.set("receipt", receipt.json());
        }
        return object;
    }

    @Override
    public String text() {
        StringBuilder lines =
                new StringBuilder(
                        String.format(
                                Locale.ROOT,
                                "%s: %s, %,d parameters%n",
                                folder,
                                className,
                                parameters()));
        for (Component component : components) {
            String state = component.present() ? "no weights" : "the folder is missing";
            lines.append(
                    "  %-14s  %-32s  %s%n"
                            .formatted(
                                    component.name(),
                                    component.className(),
                                    component.weights() == null
                                            ? state
                                            : component.weights().summary()));
        }
        if (receipt != null) {
            lines.append(ReceiptText.full(receipt));
        }
        return lines.toString();
    }
}
