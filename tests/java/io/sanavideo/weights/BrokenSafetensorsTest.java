package io.sanavideo.weights;

import static io.sanavideo.weights.SafetensorsBytes.entry;
import static io.sanavideo.weights.SafetensorsBytes.of;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way to break a safetensors file, and the words that say so. */
class BrokenSafetensorsTest {
    private static final String A = entry("a", "F32", "[2]", "[0,8]");
    private static final String GOOD = "{" + A + "}";

    @TempDir Path folder;

    private record Case(String title, byte[] bytes, List<String> words) {
        @Override
        public String toString() {
            return title;
        }
    }

    private static Case row(String title, byte[] bytes, String... words) {
        return new Case(title, bytes, List.of(words));
    }

    private static Case header(String title, String header, String... words) {
        return row(title, of(header, 8), words);
    }

    private static Case tensorA(
            String title, String dtype, String shape, String offsets, String... words) {
        List<String> all = new ArrayList<>(List.of("tensor 'a'", "at byte"));
        all.addAll(Arrays.asList(words));
        return new Case(title, of("{" + entry("a", dtype, shape, offsets) + "}", 8), all);
    }

    static Stream<Case> files() {
        byte[] good = of(GOOD, 8);
        String open = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]";
        return Stream.of(
                row("empty file", new byte[0], "0 bytes", "at least the 8"),
                row("7 bytes", new byte[7], "7 bytes", "at least the 8", "at byte 7"),
                row("length only", new byte[8], "header is empty", "expected '{'"),
                row(
                        "truncated in the header",
                        Arrays.copyOf(good, 30),
                        "header length is",
                        "30 bytes"),
                row(
                        "truncated before the data",
                        Arrays.copyOf(good, good.length - 8),
                        "tensor 'a'",
                        "only 0 bytes follow",
                        "truncated"),
                row(
                        "truncated in the data",
                        Arrays.copyOf(good, good.length - 1),
                        "tensor 'a'",
                        "only 7 bytes follow",
                        "truncated"),
                row(
                        "trailing byte",
                        Arrays.copyOf(good, good.length + 1),
                        "1 bytes follow the last tensor",
                        "at byte " + good.length),
                row(
                        "data without tensors",
                        of("{}", 3),
                        "3 bytes follow the last tensor",
                        "at byte 10"),
                row(
                        "header length beyond the file",
                        of(GOOD.length() + 9, GOOD.getBytes(StandardCharsets.UTF_8), 8),
                        "header length is",
                        "expected at most"),
                row(
                        "header length of 63 bits",
                        of(Long.MAX_VALUE, new byte[64], 0),
                        "9223372036854775807"),
                row("header length of 64 bits", of(-1, new byte[64], 0), "18446744073709551615"),
                row("not an object", of("[1,2]   ", 0), "starts with byte 91", "expected '{'"),
                row("space before the object", of("  {}", 0), "starts with byte 32"),
                row("byte order mark", of("\ufeff{}", 0), "starts with byte 239"),
                row("UTF-16", of("{}".getBytes(StandardCharsets.UTF_16LE), 0), "not valid JSON"),
                row(
                        "malformed UTF-8",
                        of(new byte[] {'{', '"', (byte) 0xc3, '(', '"', ':', '1', '}'}, 0),
                        "not valid UTF-8",
                        "at byte 10"),
                row(
                        "overlong UTF-8",
                        of(new byte[] {'{', '"', (byte) 0xc1, (byte) 0x81, '"', ':', '1', '}'}, 0),
                        "not valid UTF-8"),
                row(
                        "UTF-8 cut short",
                        of(new byte[] {'{', '"', (byte) 0xe2, (byte) 0x82}, 0),
                        "not valid UTF-8"),
                header("unclosed object", "{" + A, "not valid JSON"),
                header(
                        "two objects",
                        GOOD + "{}",
                        "text follows",
                        "at byte " + (8 + GOOD.length())),
                header("comment", "{/* */" + A + "}", "not valid JSON"),
                header("single quotes", "{'a':1}", "not valid JSON", "at byte 9"),
                header("trailing comma", "{" + A + ",}", "not valid JSON"),
                header(
                        "no entry object",
                        "{\"a\":[]}",
                        "tensor 'a'",
                        "entry is [",
                        "expected an object"),
                header("null entry", "{\"a\":null}", "tensor 'a'", "entry is null"),
                header(
                        "deep nesting",
                        "{\"a\":" + "[".repeat(200_000),
                        "tensor 'a'",
                        "expected an object"),
                header(
                        "deep nesting in a shape",
                        "{\"a\":{\"shape\":" + "[".repeat(200_000),
                        "tensor 'a'",
                        "shape element is [",
                        "an integer"),
                header(
                        "deep nesting in metadata",
                        "{\"__metadata__\":{\"k\":" + "{\"k\":".repeat(200_000),
                        "__metadata__ key 'k' is {",
                        "a string"),
                header("duplicate tensor", "{" + A + "," + A + "}", "tensor 'a'", "stands twice"),
                header(
                        "duplicate tensor by escape",
                        "{" + A + "," + A.replace("\"a\"", "\"\\u0061\"") + "}",
                        "tensor 'a'",
                        "stands twice"),
                header(
                        "duplicate metadata",
                        "{\"__metadata__\":{},\"__metadata__\":{}," + A + "}",
                        "'__metadata__' stands twice"),
                header(
                        "duplicate metadata key",
                        "{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}," + A + "}",
                        "key 'k' stands twice"),
                header(
                        "metadata not an object",
                        "{\"__metadata__\":\"x\"," + A + "}",
                        "__metadata__ is x",
                        "an object"),
                header(
                        "metadata not strings",
                        "{\"__metadata__\":{\"k\":1}," + A + "}",
                        "key 'k' is 1",
                        "a string"),
                header(
                        "metadata null",
                        "{\"__metadata__\":{\"k\":null}," + A + "}",
                        "key 'k' is null"),
                header(
                        "duplicate dtype",
                        "{" + open + ",\"dtype\":\"F32\"}}",
                        "tensor 'a'",
                        "'dtype' stands twice"),
                header("duplicate shape", "{" + open + ",\"shape\":[2]}}", "'shape' stands twice"),
                header(
                        "duplicate offsets",
                        "{" + open + ",\"data_offsets\":[0,8]}}",
                        "'data_offsets' stands twice"),
                header(
                        "unknown key",
                        "{" + open + ",\"strides\":[1]}}",
                        "tensor 'a'",
                        "unknown key 'strides'"),
                header(
                        "dtype missing",
                        "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}",
                        "'dtype' is missing"),
                header(
                        "shape missing",
                        "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}",
                        "'shape' is missing"),
                header(
                        "offsets missing",
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}",
                        "'data_offsets' is missing"),
                header(
                        "dtype not a string",
                        "{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}",
                        "dtype is 7",
                        "a string"),
                tensorA(
                        "unknown dtype",
                        "F8_E5M2",
                        "[8]",
                        "[0,8]",
                        "dtype is \"F8_E5M2\"",
                        "expected one of [F32, BF16"),
                tensorA("dtype in lower case", "f32", "[2]", "[0,8]", "dtype is \"f32\""),
                tensorA(
                        "negative dimension",
                        "F32",
                        "[-2]",
                        "[0,8]",
                        "shape element is -2",
                        "from 0"),
                tensorA(
                        "float dimension",
                        "F32",
                        "[2.0]",
                        "[0,8]",
                        "shape element is 2.0",
                        "an integer"),
                tensorA(
                        "text dimension",
                        "F32",
                        "[\"2\"]",
                        "[0,8]",
                        "shape element is 2",
                        "an integer"),
                tensorA(
                        "dimension of 65 bits",
                        "F32",
                        "[18446744073709551616]",
                        "[0,8]",
                        "shape element is 18446744073709551616"),
                tensorA(
                        "dimension of 2000 digits",
                        "F32",
                        "[" + "9".repeat(2000) + "]",
                        "[0,8]",
                        "not valid JSON"),
                tensorA(
                        "product overflow",
                        "U8",
                        "[4294967296,4294967296]",
                        "[0,8]",
                        "more bytes than 64 bits"),
                tensorA(
                        "byte count overflow",
                        "F64",
                        "[2305843009213693952]",
                        "[0,8]",
                        "more bytes than 64 bits"),
                tensorA(
                        "9 dimensions",
                        "F32",
                        "[1,1,1,1,1,1,1,1,2]",
                        "[0,8]",
                        "shape has more than 8"),
                tensorA("shape not an array", "F32", "2", "[0,8]", "shape is 2", "an array"),
                tensorA("shape too small", "F32", "[1]", "[0,8]", "hold 8 bytes, expected 4"),
                tensorA("shape too large", "F32", "[3]", "[0,8]", "hold 8 bytes, expected 12"),
                tensorA("offsets reversed", "F32", "[2]", "[8,0]", "[8, 0]", "rising order"),
                tensorA("float offsets", "F32", "[2]", "[0,8.0]", "data_offsets element is 8.0"),
                tensorA("exponent offsets", "F32", "[2]", "[0,8e0]", "data_offsets element is 8e0"),
                tensorA("negative offset", "F32", "[2]", "[-8,0]", "data_offsets element is -8"),
                tensorA("one offset", "F32", "[2]", "[8]", "[8]", "[begin, end]"),
                tensorA("three offsets", "F32", "[2]", "[0,4,8]", "more than 2"),
                tensorA("null offsets", "F32", "[2]", "null", "data_offsets is null"),
                tensorA(
                        "offsets of 63 bits",
                        "F32",
                        "[2]",
                        "[9223372036854775799,9223372036854775807]",
                        "truncated"),
                tensorA("hole at the start", "F32", "[1]", "[4,8]", "leaves a hole"),
                row(
                        "hole",
                        of(
                                "{"
                                        + entry("a", "U8", "[2]", "[0,2]")
                                        + ","
                                        + entry("b", "U8", "[5]", "[3,8]")
                                        + "}",
                                8),
                        "tensor 'b'",
                        "leaves a hole"),
                row(
                        "overlap",
                        of(
                                "{"
                                        + entry("a", "U8", "[4]", "[0,4]")
                                        + ","
                                        + entry("b", "U8", "[5]", "[3,8]")
                                        + "}",
                                8),
                        "tensor 'b'",
                        "overlaps"),
                row(
                        "the same bytes twice",
                        of(
                                "{"
                                        + entry("a", "U8", "[8]", "[0,8]")
                                        + ","
                                        + entry("b", "U8", "[8]", "[0,8]")
                                        + "}",
                                8),
                        "tensor 'b'",
                        "overlaps"),
                row(
                        "empty tensor inside another",
                        of(
                                "{"
                                        + entry("a", "U8", "[8]", "[0,8]")
                                        + ","
                                        + entry("b", "U8", "[0]", "[4,4]")
                                        + "}",
                                8),
                        "tensor 'b'",
                        "overlaps"),
                row("100,001 tensors", of(tensors(100_001), 0), "100000 tensors"));
    }

    private static String tensors(int count) {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < count; i++) {
            header.append(i == 0 ? "" : ",").append(entry("t" + i, "U8", "[0]", "[0,0]"));
        }
        return header.append('}').toString();
    }

    @ParameterizedTest
    @MethodSource("files")
    void isRefusedWithWords(Case broken) {
        Path path = SafetensorsBytes.write(folder.resolve("broken.safetensors"), broken.bytes);
        assertThatThrownBy(() -> SafetensorsFile.open(path).close())
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContainingAll(broken.words.toArray(String[]::new));
    }

    @Test
    void theUnbrokenFileOpens() {
        Path path = SafetensorsBytes.write(folder.resolve("good.safetensors"), of(GOOD + "   ", 8));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.tensors()).containsOnlyKeys("a");
        }
    }

    @Test
    void aMissingFileAndAFolderAreRefused() {
        assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none.safetensors")))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll("none.safetensors", "does not exist");
        assertThatThrownBy(() -> SafetensorsFile.open(folder))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContaining("not a regular file");
    }

    @Test
    void aHeaderOfMoreThan100MegabytesIsRefused() throws IOException {
        Path path =
                SafetensorsBytes.write(
                        folder.resolve("huge.safetensors"), of(100_000_001, new byte[0], 0));
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(200_000_000);
        }
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(
                        path.toString(), "header length is 100000001, expected at most 100000000");
    }

    @Test
    void aFileThatShrinksIsReportedByTensorAndByte() throws IOException {
        byte[] bytes = of(GOOD, 8);
        Path path = SafetensorsBytes.write(folder.resolve("shrinks.safetensors"), bytes);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Files.write(path, Arrays.copyOf(bytes, bytes.length - 3));
            assertThatThrownBy(() -> file.tensor("a").toFloats())
                    .isExactlyInstanceOf(ModelFormatException.class)
                    .hasMessageContainingAll(
                            path.toString(),
                            "tensor 'a'",
                            "has shrunk",
                            "at byte " + (bytes.length - 3));
        }
    }
}
