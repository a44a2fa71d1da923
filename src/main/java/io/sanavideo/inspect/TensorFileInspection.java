package io.sanavideo.inspect;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.weights.LoraFile;
import io.sanavideo.weights.SafetensorsFile;
import java.nio.file.Path;
import java.util.List;

/** A safetensors file: its header. */
record TensorFileInspection(Path file, Weights weights) implements Inspection {
    /** Of a file, which may be a LoRA. */
    static Inspection of(Path path) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            if (LoraFile.isLora(file)) {
                return LoraInspection.of(file);
            }
            return new TensorFileInspection(path, Weights.of(List.of(file)));
        }
    }

    @Override
    public ObjectNode json() {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "safetensors").put("file", file.toString());
        weights.putTotals(object);
        weights.putTensors(object);
        return object;
    }

    @Override
    public String text() {
        return "%s: safetensors, %s%n%s".formatted(file, weights.summary(), weights.table());
    }
}
