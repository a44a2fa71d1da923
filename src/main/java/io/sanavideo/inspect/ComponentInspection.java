package io.sanavideo.inspect;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.Json;
import java.nio.file.Path;

/** A component folder: its configuration and the headers of its weights. */
record ComponentInspection(Path folder, String className, Json config, Weights weights)
        implements Inspection {
    private static final String CONFIG = "config.json";

    static ComponentInspection of(Path folder) {
        Json config = Json.read(folder.resolve(CONFIG));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return new ComponentInspection(
                    folder, className(config), config, Weights.of(checkpoint.files()));
        }
    }

    private static String className(Json config) {
        return config.has("architectures")
                ? String.join(", ", config.requiredTexts("architectures"))
                : config.requiredText("_class_name");
    }

    @Override
    public ObjectNode json() {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "component").put("folder", folder.toString()).put("class", className);
        ArrayNode files = object.putArray("files");
        weights.files().forEach(files::add);
        weights.putTotals(object);
        object.set("config", config.node());
        weights.putTensors(object);
        return object;
    }

    @Override
    public String text() {
        return "%s: %s, %s in %s%nconfig.json: %s%n%s"
                .formatted(
                        folder,
                        className,
                        weights.summary(),
                        String.join(", ", weights.files()),
                        config.node().toPrettyString(),
                        weights.table());
    }
}
