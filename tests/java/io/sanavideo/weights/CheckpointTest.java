package io.sanavideo.weights;

import static io.sanavideo.weights.SafetensorsBytes.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    private static final String INDEX = "model.safetensors.index.json";
    private static final String FIRST = "model-00001-of-00002.safetensors";
    private static final String SECOND = "model-00002-of-00002.safetensors";
    private static final String MAP =
            "{\"metadata\":{\"total_size\":4},\"weight_map\":{\"b\":\""
                    + SECOND
                    + "\",\"a\":\""
                    + FIRST
                    + "\"}}";

    @TempDir Path folder;

    /** A file with tensors of one byte each. */
    private static byte[] file(String... names) {
        StringBuilder header = new StringBuilder();
        for (int i = 0; i < names.length; i++) {
            header.append(i == 0 ? "{" : ",")
                    .append(entry(names[i], "U8", "[1]", "[%d,%d]".formatted(i, i + 1)));
        }
        return SafetensorsBytes.of(header.append('}').toString(), names.length);
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void write(Map<String, byte[]> files) {
        files.forEach((name, bytes) -> SafetensorsBytes.write(folder.resolve(name), bytes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "diffusion_pytorch_model"})
    void oneFileOfEitherStem(String stem) {
        write(Map.of(stem + ".safetensors", file("a", "b"), "other.safetensors", new byte[3]));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.folder()).isEqualTo(folder);
            assertThat(checkpoint.names()).containsExactly("a", "b");
            assertThat(checkpoint.has("b")).isTrue();
            assertThat(checkpoint.has("c")).isFalse();
            assertThat(checkpoint.require("b", 1).name()).isEqualTo("b");
        }
    }

    @Test
    void shardsOfAnIndex() {
        write(Map.of(INDEX, text(MAP), FIRST, file("a"), SECOND, file("b")));
        Checkpoint checkpoint = Checkpoint.open(folder);
        assertThat(checkpoint.names()).containsExactlyInAnyOrder("a", "b");
        assertThat(checkpoint.files())
                .extracting(file -> file.path().getFileName().toString())
                .containsExactly(FIRST, SECOND);
        StoredTensor tensor = checkpoint.require("b", 1);
        assertThat(tensor.file().path()).hasFileName(SECOND);
        assertThat(tensor.toFloats()).containsExactly(0);
        checkpoint.close();
        assertThatThrownBy(tensor::toFloats).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void missingAndMisshapenTensorsAreNamed() {
        write(Map.of("model.safetensors", file("a")));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThatThrownBy(() -> checkpoint.require("x.weight", 2, 3))
                    .isExactlyInstanceOf(ModelFormatException.class)
                    .hasMessageContainingAll(
                            folder.toString(), "missing tensor 'x.weight'", "[2, 3]");
            assertThatThrownBy(() -> checkpoint.require("a", 1, 1))
                    .isExactlyInstanceOf(ModelFormatException.class)
                    .hasMessageContainingAll(
                            "model.safetensors",
                            "tensor 'a'",
                            "has shape [1]",
                            "expected [1, 1]",
                            "at byte");
        }
    }

    private record Broken(String title, Map<String, byte[]> files, List<String> words) {
        @Override
        public String toString() {
            return title;
        }
    }

    private static Broken row(String title, Map<String, byte[]> files, String... words) {
        return new Broken(title, files, List.of(words));
    }

    private static Broken index(String title, String json, String... words) {
        return row(title, Map.of(INDEX, text(json), FIRST, file("a"), SECOND, file("b")), words);
    }

    private static Broken shardNamed(String title, String name) {
        return index(
                title,
                "{\"weight_map\":{\"a\":\"" + name + "\"}}",
                "key 'weight_map.a' is",
                "in the same folder");
    }

    static Stream<Broken> folders() {
        byte[] index = text(MAP);
        return Stream.of(
                row(
                        "empty folder",
                        Map.of(),
                        "has no weights",
                        "diffusion_pytorch_model.safetensors"),
                row("other names only", Map.of("weights.safetensors", file("a")), "has no weights"),
                row(
                        "broken file",
                        Map.of("model.safetensors", new byte[9]),
                        "model.safetensors",
                        "header is empty"),
                row(
                        "two stems",
                        Map.of(
                                "model.safetensors",
                                file("a"),
                                "diffusion_pytorch_model.safetensors",
                                file("a")),
                        "more than one checkpoint"),
                row(
                        "file and index",
                        Map.of("model.safetensors", file("a"), INDEX, index),
                        "more than one checkpoint",
                        INDEX),
                row(
                        "missing shard",
                        Map.of(INDEX, index, FIRST, file("a")),
                        SECOND,
                        "missing shard",
                        INDEX),
                row(
                        "broken shard",
                        Map.of(INDEX, index, FIRST, file("a"), SECOND, new byte[7]),
                        SECOND,
                        "7 bytes"),
                row(
                        "tensor not in its shard",
                        Map.of(INDEX, index, FIRST, file("a"), SECOND, file("c")),
                        SECOND,
                        "missing tensor 'b'"),
                row(
                        "tensor not in the index",
                        Map.of(INDEX, index, FIRST, file("a"), SECOND, file("b", "c")),
                        SECOND,
                        "tensor 'c'",
                        "does not say so"),
                row(
                        "tensor in two shards",
                        Map.of(INDEX, index, FIRST, file("a"), SECOND, file("a", "b")),
                        SECOND,
                        "tensor 'a'",
                        "does not say so"),
                row(
                        "tensor in two shards, first",
                        Map.of(INDEX, index, FIRST, file("a", "b"), SECOND, file("b")),
                        FIRST,
                        "tensor 'b'",
                        "does not say so"),
                index("index not JSON", "weights", INDEX, "not valid JSON"),
                index("index cut short", MAP.substring(0, 50), INDEX, "not valid JSON"),
                index("index an array", "[]", "expected a JSON object"),
                index(
                        "index without map",
                        "{\"metadata\":{}}",
                        "'weight_map' is missing",
                        "an object"),
                index("map not an object", "{\"weight_map\":[]}", "'weight_map' is an array"),
                index(
                        "tensor twice in the index",
                        "{\"weight_map\":{\"a\":\"" + FIRST + "\",\"a\":\"" + FIRST + "\"}}",
                        "Duplicate"),
                index(
                        "shard not a string",
                        "{\"weight_map\":{\"a\":1}}",
                        "key 'weight_map.a' is 1",
                        "a string"),
                index("shard null", "{\"weight_map\":{\"a\":null}}", "key 'weight_map.a' is null"),
                shardNamed("path upwards", "../model.safetensors"),
                shardNamed("absolute path", "/tmp/model.safetensors"),
                shardNamed("path downwards", "sub/model.safetensors"),
                shardNamed("backslash", "..\\\\model.safetensors"),
                shardNamed("hidden", "..safetensors"),
                shardNamed("NUL", "a\\u0000.safetensors"),
                shardNamed("no safetensors", "pytorch_model.bin"),
                shardNamed("empty name", ""));
    }

    @ParameterizedTest
    @MethodSource("folders")
    void brokenFoldersAreRefusedWithWords(Broken broken) {
        write(broken.files);
        assertThatThrownBy(() -> Checkpoint.open(folder).close())
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContainingAll(broken.words.toArray(String[]::new));
    }

    @Test
    void aMissingFolderIsRefused() {
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve("none")))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContaining("none: is not a folder");
    }

    @Test
    void contentHashIsThatOfTheFilesInTheOrderOfTheirNames() throws Exception {
        write(Map.of(INDEX, text(MAP), FIRST, file("a"), SECOND, file("b")));
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(file("a"));
        digest.update(file("b"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(ContentHash.of(checkpoint))
                    .isEqualTo(HexFormat.of().formatHex(digest.digest()));
        }
    }

    /** What {@code sha256sum} prints for this file. */
    @Test
    void contentHashOfAGoldenFile() {
        try (Checkpoint checkpoint = Checkpoint.open(Path.of("tests/golden/gemma2"))) {
            assertThat(ContentHash.of(checkpoint))
                    .isEqualTo("feb1db8cc315da8d1829fcee8c9e22c651047f74098bb053cb1577e7dc209d8c");
        }
    }

    @Test
    void contentHashOfAFileThatIsGoneIsRefused() throws IOException {
        write(Map.of("model.safetensors", file("a")));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            Files.delete(folder.resolve("model.safetensors"));
            assertThatThrownBy(() -> ContentHash.of(checkpoint))
                    .isExactlyInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("model.safetensors: cannot be read");
        }
    }
}
