package io.sanavideo.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A JSON object of a model folder, read strictly: no key twice, nothing after the object, valid
 * UTF-8. Bare {@code NaN}, {@code Infinity} and {@code -Infinity} are numbers, as released
 * scheduler configurations hold them. A key whose value is {@code null} counts as absent.
 *
 * <p>Every accessor throws a {@link ModelFormatException} that names file, key and value, and says
 * what was expected: {@code config.json: key 'num_layers' is "abc", expected an integer from 1}.
 */
public final class Json {
    private static final int MAX_BYTES = 50_000_000;

    private static final ObjectMapper MAPPER =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                                    .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
                                    .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private final String source;
    private final String prefix;
    private final ObjectNode node;

    private Json(String source, String prefix, ObjectNode node) {
        this.source = source;
        this.prefix = prefix;
        this.node = node;
    }

    /**
     * Reads a file of at most 50,000,000 bytes.
     *
     * @throws ModelFormatException when it is missing, unreadable or not one JSON object
     */
    public static Json read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new ModelFormatException(
                    file
                            + ": "
                            + (Files.exists(file) ? "is not a regular file" : "does not exist"));
        }
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new ModelFormatException(
                        "%s: has %d bytes, expected JSON of at most %d"
                                .formatted(file, Files.size(file), MAX_BYTES));
            }
            byte[] bytes = Files.readAllBytes(file);
            return parse(
                    file.toString(),
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(file + ": is not valid UTF-8", e);
        } catch (IOException e) {
            throw new ModelFormatException(file + ": cannot be read: " + e, e);
        }
    }

    /**
     * Parses text.
     *
     * @param source where the text comes from, for messages
     * @throws ModelFormatException when the text is not one JSON object
     */
    public static Json parse(String source, String text) {
        JsonNode node;
        try {
            node = MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String where =
                    at == null
                            ? ""
                            : " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr());
            throw new ModelFormatException(
                    "%s: is not valid JSON: %s%s".formatted(source, e.getOriginalMessage(), where),
                    e);
        }
        if (!(node instanceof ObjectNode object)) {
            String found = node.isMissingNode() ? "is empty" : "holds " + shown(node);
            throw new ModelFormatException(source + ": " + found + ", expected a JSON object");
        }
        return new Json(source, "", object);
    }

    /** Where this object was read from. */
    public String source() {
        return source;
    }

    /** A copy of the object as a tree, for what the typed accessors do not cover. */
    public ObjectNode node() {
        return node.deepCopy();
    }

    /** All keys in the order of the file, also those whose value is {@code null}. */
    public Set<String> keys() {
        Set<String> keys = new LinkedHashSet<>();
        node.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    /** Whether the key has a value other than {@code null}. */
    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    /** An integer from least on. */
    public int requiredInt(String key, int least) {
        return requiredInt(key, least, Integer.MAX_VALUE);
    }

    /** An integer from least to most. */
    public int requiredInt(String key, int least, int most) {
        return toInt(key, required(key, integer(least, most)), least, most);
    }

    /** As {@link #requiredInt}, or fallback when absent. */
    public int optionalInt(String key, int least, int fallback) {
        return has(key) ? requiredInt(key, least) : fallback;
    }

    /** An integer of 64 bits. */
    public long requiredLong(String key) {
        String expected = "an integer of 64 bits";
        JsonNode value = required(key, expected);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw unexpected(key, value, expected);
        }
        return value.longValue();
    }

    /** A finite number. */
    public double requiredDouble(String key) {
        JsonNode value = required(key, "a finite number");
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw unexpected(key, value, "a finite number");
        }
        return value.doubleValue();
    }

    /** As {@link #requiredDouble}, or fallback when absent. */
    public double optionalDouble(String key, double fallback) {
        return has(key) ? requiredDouble(key) : fallback;
    }

    /** A number that may be infinite, as the bounds of a range are; fallback when absent. */
    public double optionalBound(String key, double fallback) {
        if (!has(key)) {
            return fallback;
        }
        JsonNode value = node.get(key);
        if (!value.isNumber() || Double.isNaN(value.doubleValue())) {
            throw unexpected(key, value, "a number");
        }
        return value.doubleValue();
    }

    /** {@code true} or {@code false}. */
    public boolean requiredBoolean(String key) {
        JsonNode value = required(key, "true or false");
        if (!value.isBoolean()) {
            throw unexpected(key, value, "true or false");
        }
        return value.booleanValue();
    }

    /** As {@link #requiredBoolean}, or fallback when absent. */
    public boolean optionalBoolean(String key, boolean fallback) {
        return has(key) ? requiredBoolean(key) : fallback;
    }

    /** A string. */
    public String requiredText(String key) {
        JsonNode value = required(key, "a string");
        if (!value.isTextual()) {
            throw unexpected(key, value, "a string");
        }
        return value.textValue();
    }

    /** As {@link #requiredText}, or fallback when absent. */
    public String optionalText(String key, String fallback) {
        return has(key) ? requiredText(key) : fallback;
    }

    /** An array of integers, each from least on; may be empty. */
    public int[] requiredInts(String key, int least) {
        return requiredInts(key, least, Integer.MAX_VALUE);
    }

    /** An array of integers, each from least to most; may be empty. */
    public int[] requiredInts(String key, int least, int most) {
        JsonNode array = requiredArray(key, "an array of integers");
        return IntStream.range(0, array.size())
                .map(i -> toInt("%s[%d]".formatted(key, i), array.get(i), least, most))
                .toArray();
    }

    /** An array of finite numbers; may be empty. */
    public double[] requiredDoubles(String key) {
        JsonNode array = requiredArray(key, "an array of numbers");
        double[] values = new double[array.size()];
        for (int i = 0; i < values.length; i++) {
            JsonNode value = array.get(i);
            if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
                throw unexpected("%s[%d]".formatted(key, i), value, "a finite number");
            }
            values[i] = value.doubleValue();
        }
        return values;
    }

    /** An array of {@code true} and {@code false}; may be empty. */
    public boolean[] requiredBooleans(String key) {
        JsonNode array = requiredArray(key, "an array of true and false");
        boolean[] values = new boolean[array.size()];
        for (int i = 0; i < values.length; i++) {
            if (!array.get(i).isBoolean()) {
                throw unexpected("%s[%d]".formatted(key, i), array.get(i), "true or false");
            }
            values[i] = array.get(i).booleanValue();
        }
        return values;
    }

    /** An array of strings; may be empty. */
    public String[] requiredTexts(String key) {
        JsonNode array = requiredArray(key, "an array of strings");
        String[] values = new String[array.size()];
        for (int i = 0; i < values.length; i++) {
            if (!array.get(i).isTextual()) {
                throw unexpected("%s[%d]".formatted(key, i), array.get(i), "a string");
            }
            values[i] = array.get(i).textValue();
        }
        return values;
    }

    /** The elements of an array, of any kind; may be empty. */
    public List<JsonNode> requiredElements(String key) {
        List<JsonNode> elements = new ArrayList<>();
        requiredArray(key, "an array").forEach(elements::add);
        return elements;
    }

    /** An array of objects; may be empty. Messages name their keys as {@code outer[i].inner}. */
    public List<Json> requiredObjects(String key) {
        List<Json> objects = new ArrayList<>();
        for (JsonNode value : requiredArray(key, "an array of objects")) {
            String element = "%s[%d]".formatted(key, objects.size());
            if (!(value instanceof ObjectNode object)) {
                throw unexpected(element, value, "an object");
            }
            objects.add(new Json(source, prefix + element + ".", object));
        }
        return objects;
    }

    /** An object; messages of its accessors name its keys as {@code outer.inner}. */
    public Json requiredObject(String key) {
        JsonNode value = required(key, "an object");
        if (!(value instanceof ObjectNode object)) {
            throw unexpected(key, value, "an object");
        }
        return new Json(source, prefix + key + ".", object);
    }

    /** The exception for a key whose value is known to be wrong: names source, key and value. */
    public ModelFormatException unexpected(String key, String expected) {
        return unexpected(key, node.path(key), expected);
    }

    private ModelFormatException unexpected(String key, JsonNode value, String expected) {
        String found = value.isMissingNode() ? "missing" : shown(value);
        return new ModelFormatException(
                "%s: key '%s%s' is %s, expected %s"
                        .formatted(source, prefix, key, found, expected));
    }

    private JsonNode required(String key, String expected) {
        if (!has(key)) {
            throw unexpected(key, expected);
        }
        return node.get(key);
    }

    private JsonNode requiredArray(String key, String expected) {
        JsonNode value = required(key, expected);
        if (!value.isArray()) {
            throw unexpected(key, value, expected);
        }
        return value;
    }

    private int toInt(String key, JsonNode value, int least, int most) {
        if (!value.isIntegralNumber()
                || !value.canConvertToInt()
                || value.intValue() < least
                || value.intValue() > most) {
            throw unexpected(key, value, integer(least, most));
        }
        return value.intValue();
    }

    private static String integer(int least, int most) {
        String from = least == Integer.MIN_VALUE ? "an integer" : "an integer from " + least;
        return most == Integer.MAX_VALUE ? from : from + " to " + most;
    }

    private static String shown(JsonNode value) {
        if (value.isContainerNode()) {
            return value.isObject() ? "an object" : "an array of " + value.size();
        }
        String text = value.toString();
        return text.length() <= 100 ? text : text.substring(0, 100) + "...";
    }
}
