package io.sanavideo.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Parses and checks the JSON header of a safetensors file: {@code {"name": {"dtype": "BF16",
 * "shape": [2, 3], "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "text"}}}, offsets
 * counted from the end of the header.
 */
final class SafetensorsHeader {
    /** Bytes of the little-endian header length that opens a file. */
    static final int PREFIX_BYTES = 8;

    static final int MAX_BYTES = 100_000_000;
    static final int MAX_RANK = 8;
    static final int MAX_TENSORS = 100_000;
    static final String METADATA = "__metadata__";

    /** One checked entry; begin and end count from the start of the file. */
    record Entry(String name, DType dtype, List<Long> shape, long begin, long end) {}

    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .disable(JsonFactory.Feature.CHARSET_DETECTION)
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
                    .build();

    private final Path file;
    private final long fileBytes;
    private final long dataBegin;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private Map<String, String> metadata;
    private JsonParser parser;
    private String tensor;

    private SafetensorsHeader(Path file, long fileBytes, long dataBegin) {
        this.file = file;
        this.fileBytes = fileBytes;
        this.dataBegin = dataBegin;
    }

    /** Parses the header's bytes, which end where the data begins, in a file of fileBytes bytes. */
    static SafetensorsHeader parse(Path file, byte[] json, long fileBytes) {
        SafetensorsHeader header =
                new SafetensorsHeader(file, fileBytes, PREFIX_BYTES + (long) json.length);
        header.checkText(json);
        try (JsonParser parser = JSON.createParser(json)) {
            header.parser = parser;
            header.readTop();
        } catch (JsonProcessingException e) {
            long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset());
            throw new ModelFormatException(
                    header.message(at, "header is not valid JSON: " + e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new IllegalStateException("reading an array failed", e);
        }
        return header;
    }

    /**
     * The entries in the order of their data, checked to fill the file without holes or overlap.
     */
    List<Entry> entries() {
        List<Entry> sorted = new ArrayList<>(entries.values());
        sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long position = dataBegin;
        for (Entry entry : sorted) {
            if (entry.begin != position) {
                String what =
                        entry.begin > position
                                ? "leaves a hole after"
                                : "overlaps the tensor before";
                throw fault(
                        file,
                        entry.name,
                        entry.begin,
                        "data begins at byte %d and %s byte %d, expected data without holes or overlap"
                                .formatted(entry.begin, what, position));
            }
            position = entry.end;
        }
        if (position != fileBytes) {
            throw fault(
                    file,
                    null,
                    position,
                    "%d bytes follow the last tensor, expected the file to end there"
                            .formatted(fileBytes - position));
        }
        return sorted;
    }

    Map<String, String> metadata() {
        return metadata == null ? Map.of() : metadata;
    }

    /** The exception for a fault of this file, about a tensor or (null) the file as a whole. */
    static ModelFormatException fault(Path file, String tensor, long byteOffset, String what) {
        return new ModelFormatException(describe(file, tensor, byteOffset, what));
    }

    static String describe(Path file, String tensor, long byteOffset, String what) {
        String subject = tensor == null ? "" : "tensor '" + shortened(tensor) + "': ";
        return "%s: %s%s (at byte %d)".formatted(file, subject, what, byteOffset);
    }

    private static String shortened(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "...";
    }

    /** Checks what the JSON parser is lenient about: the first byte and malformed UTF-8. */
    private void checkText(byte[] json) {
        if (json.length == 0 || json[0] != '{') {
            String found = json.length == 0 ? "is empty" : "starts with byte " + (json[0] & 0xff);
            throw new ModelFormatException(message(0, "header " + found + ", expected '{'"));
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer bytes = ByteBuffer.wrap(json);
        CharBuffer chars = CharBuffer.allocate(8192);
        CoderResult result;
        do {
            result = decoder.decode(bytes, chars.clear(), true);
            if (result.isError()) {
                throw new ModelFormatException(
                        message(bytes.position(), "header is not valid UTF-8"));
            }
        } while (result.isOverflow());
    }

    private void readTop() throws IOException {
        parser.nextToken();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            if (name.equals(METADATA)) {
                readMetadata();
            } else {
                tensor = name;
                readTensor();
                tensor = null;
            }
        }
        if (parser.nextToken() != null) {
            throw fault("text follows the header's closing brace, expected spaces only");
        }
    }

    private void readMetadata() throws IOException {
        if (metadata != null) {
            throw fault("key '" + METADATA + "' stands twice");
        }
        metadata = new LinkedHashMap<>();
        expect(parser.nextToken(), JsonToken.START_OBJECT, METADATA, "an object");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            String where = METADATA + " key '" + shortened(key) + "'";
            expect(parser.nextToken(), JsonToken.VALUE_STRING, where, "a string");
            if (metadata.put(key, parser.getText()) != null) {
                throw fault(where + " stands twice");
            }
        }
    }

    private void readTensor() throws IOException {
        if (entries.containsKey(tensor)) {
            throw fault("stands twice in the header");
        }
        if (entries.size() == MAX_TENSORS) {
            throw fault("is one more than the " + MAX_TENSORS + " tensors that a file may hold");
        }
        DType dtype = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        expect(parser.nextToken(), JsonToken.START_OBJECT, "entry", "an object");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            switch (key) {
                case "dtype" -> {
                    requireAbsent(key, dtype);
                    dtype = readDType();
                }
                case "shape" -> {
                    requireAbsent(key, shape);
                    shape = readIntegers(key, MAX_RANK);
                }
                case "data_offsets" -> {
                    requireAbsent(key, offsets);
                    offsets = readIntegers(key, 2);
                }
                default ->
                        throw fault(
                                "unknown key '%s', expected dtype, shape and data_offsets"
                                        .formatted(shortened(key)));
            }
        }
        requirePresent("dtype", dtype);
        requirePresent("shape", shape);
        requirePresent("data_offsets", offsets);
        entries.put(tensor, place(dtype, shape, offsets));
    }

    private Entry place(DType dtype, List<Long> shape, List<Long> offsets) {
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
            throw fault("data_offsets are " + offsets + ", expected [begin, end] in rising order");
        }
        long begin = offsets.get(0);
        long end = offsets.get(1);
        if (end > fileBytes - dataBegin) {
            throw fault(
                    "data_offsets are %s, but only %d bytes follow the header: the file is truncated"
                            .formatted(offsets, fileBytes - dataBegin));
        }
        long bytes;
        try {
            bytes = bytes(dtype, shape);
        } catch (ArithmeticException e) {
            throw fault("shape " + shape + " has more bytes than 64 bits can count");
        }
        if (bytes != end - begin) {
            throw fault(
                    "data_offsets %s hold %d bytes, expected %d for %s of shape %s"
                            .formatted(offsets, end - begin, bytes, dtype, shape));
        }
        return new Entry(tensor, dtype, shape, dataBegin + begin, dataBegin + end);
    }

    /** Bytes of a tensor; ArithmeticException when 64 bits cannot count them. */
    static long bytes(DType dtype, List<Long> shape) {
        long bytes = dtype.bytes();
        for (long dimension : shape) {
            bytes = Math.multiplyExact(bytes, dimension);
        }
        return bytes;
    }

    private DType readDType() throws IOException {
        expect(parser.nextToken(), JsonToken.VALUE_STRING, "dtype", "a string");
        String name = parser.getText();
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(name)) {
                return dtype;
            }
        }
        throw fault(
                "dtype is \"%s\", expected one of %s"
                        .formatted(shortened(name), List.of(DType.values())));
    }

    private List<Long> readIntegers(String key, int most) throws IOException {
        expect(parser.nextToken(), JsonToken.START_ARRAY, key, "an array of integers");
        List<Long> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(
                    parser.currentToken(),
                    JsonToken.VALUE_NUMBER_INT,
                    key + " element",
                    "an integer");
            if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || parser.getLongValue() < 0) {
                throw fault(
                        "%s element is %s, expected an integer from 0 to %d"
                                .formatted(key, shortened(parser.getText()), Long.MAX_VALUE));
            }
            if (values.size() == most) {
                throw fault(key + " has more than " + most + " elements");
            }
            values.add(parser.getLongValue());
        }
        return List.copyOf(values);
    }

    private void expect(JsonToken found, JsonToken wanted, String subject, String words)
            throws IOException {
        if (found != wanted) {
            throw fault(
                    "%s is %s, expected %s".formatted(subject, shortened(parser.getText()), words));
        }
    }

    private void requireAbsent(String key, Object value) {
        if (value != null) {
            throw fault("key '" + key + "' stands twice");
        }
    }

    private void requirePresent(String key, Object value) {
        if (value == null) {
            throw fault("key '" + key + "' is missing");
        }
    }

    private ModelFormatException fault(String what) {
        return new ModelFormatException(
                message(parser.currentTokenLocation().getByteOffset(), what));
    }

    private String message(long headerOffset, String what) {
        return describe(file, tensor, PREFIX_BYTES + headerOffset, what);
    }
}
