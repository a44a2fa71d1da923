package io.sanavideo.media;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Metadata as one JSON object, for forms that hold a single text. A value that is itself a JSON
 * object, as a recipe is, stands in it as such, not as a quoted text.
 */
final class MetadataJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private MetadataJson() {}

    static String write(Map<String, String> metadata) {
        ObjectNode object = MAPPER.createObjectNode();
        new TreeMap<>(metadata).forEach((key, value) -> object.set(key, node(value)));
        return object.toPrettyString();
    }

    /** The metadata in this text; the whole text as {@code comment} if it is not ours. */
    static Map<String, String> read(String text) {
        Map<String, String> metadata = new LinkedHashMap<>();
        JsonNode object = node(text);
        if (object.isObject()) {
            object.properties()
                    .forEach(
                            entry -> {
                                JsonNode value = entry.getValue();
                                metadata.put(
                                        entry.getKey(),
                                        value.isTextual() ? value.textValue() : value.toString());
                            });
        } else if (!text.isEmpty()) {
            metadata.put("comment", text);
        }
        return metadata;
    }

    private static JsonNode node(String value) {
        if (value.startsWith("{")) {
            try {
                return MAPPER.readTree(value);
            } catch (JsonProcessingException e) {
                // A text that only looks like JSON is a text.
            }
        }
        return MAPPER.getNodeFactory().textNode(value);
    }
}
