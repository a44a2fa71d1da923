package io.sanavideo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class JsonTest {
    private static final Json CONFIG =
            Json.parse(
                    "config.json",
                    """
                    {"layers": 20, "text": "abc", "ratio": 3.0, "small": -1, "wide": 4294967301, "flag": false,
                     "low": -Infinity, "nan": NaN, "none": null, "sizes": [1, 2, 2], "mixed": [1, "x"], "stds": [0.5, 2],
                     "nans": [1, NaN], "flags": [true, false], "inner": {"key": "\\u00e9"}}
                    """);

    @TempDir Path folder;

    @Test
    void valuesAreRead() {
        assertThat(CONFIG.requiredInt("layers", 1)).isEqualTo(20);
        assertThat(CONFIG.requiredInt("small", Integer.MIN_VALUE)).isEqualTo(-1);
        assertThat(CONFIG.optionalInt("layers", 1, 5)).isEqualTo(20);
        assertThat(CONFIG.optionalInt("none", 1, 5)).isEqualTo(5);
        assertThat(CONFIG.requiredDouble("ratio")).isEqualTo(3.0);
        assertThat(CONFIG.requiredDouble("layers")).isEqualTo(20.0);
        assertThat(CONFIG.optionalDouble("absent", 0.5)).isEqualTo(0.5);
        assertThat(CONFIG.optionalBound("low", 0)).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(CONFIG.optionalBound("absent", 7)).isEqualTo(7);
        assertThat(CONFIG.requiredBoolean("flag")).isFalse();
        assertThat(CONFIG.optionalBoolean("none", true)).isTrue();
        assertThat(CONFIG.requiredText("text")).isEqualTo("abc");
        assertThat(CONFIG.optionalText("absent", "x")).isEqualTo("x");
        assertThat(CONFIG.requiredInts("sizes", 1)).containsExactly(1, 2, 2);
        assertThat(CONFIG.requiredDoubles("stds")).containsExactly(0.5, 2);
        assertThat(CONFIG.requiredBooleans("flags")).containsExactly(true, false);
        assertThat(CONFIG.requiredObject("inner").requiredText("key")).isEqualTo("\u00e9");
        assertThat(CONFIG.has("none")).isFalse();
        assertThat(CONFIG.keys()).startsWith("layers", "text").contains("none").hasSize(15);
        assertThat(CONFIG.node().path("layers").intValue()).isEqualTo(20);
        assertThat(CONFIG.source()).isEqualTo("config.json");
    }

    private record Wrong(String message, Consumer<Json> access) {
        @Override
        public String toString() {
            return message;
        }
    }

    static Stream<Wrong> wrongValues() {
        return Stream.of(
                new Wrong(
                        "key 'text' is \"abc\", expected an integer from 1",
                        json -> json.requiredInt("text", 1)),
                new Wrong(
                        "key 'ratio' is 3.0, expected an integer from 1",
                        json -> json.requiredInt("ratio", 1)),
                new Wrong(
                        "key 'layers' is 20, expected an integer from 1 to 19",
                        json -> json.requiredInt("layers", 1, 19)),
                new Wrong(
                        "key 'sizes[1]' is 2, expected an integer from 0 to 1",
                        json -> json.requiredInts("sizes", 0, 1)),
                new Wrong(
                        "key 'small' is -1, expected an integer from 0",
                        json -> json.requiredInt("small", 0)),
                new Wrong(
                        "key 'wide' is 4294967301, expected an integer from 1",
                        json -> json.optionalInt("wide", 1, 1)),
                new Wrong(
                        "key 'absent' is missing, expected an integer",
                        json -> json.requiredInt("absent", Integer.MIN_VALUE)),
                new Wrong(
                        "key 'none' is null, expected a string", json -> json.requiredText("none")),
                new Wrong(
                        "key 'layers' is 20, expected a string",
                        json -> json.optionalText("layers", "")),
                new Wrong(
                        "key 'text' is \"abc\", expected a finite number",
                        json -> json.requiredDouble("text")),
                new Wrong(
                        "key 'low' is \"-Infinity\", expected a finite number",
                        json -> json.optionalDouble("low", 0)),
                new Wrong(
                        "key 'nan' is \"NaN\", expected a number",
                        json -> json.optionalBound("nan", 0)),
                new Wrong(
                        "key 'text' is \"abc\", expected a number",
                        json -> json.optionalBound("text", 0)),
                new Wrong(
                        "key 'layers' is 20, expected true or false",
                        json -> json.requiredBoolean("layers")),
                new Wrong(
                        "key 'inner' is an object, expected an array of integers",
                        json -> json.requiredInts("inner", 0)),
                new Wrong(
                        "key 'mixed[1]' is \"x\", expected an integer from 0",
                        json -> json.requiredInts("mixed", 0)),
                new Wrong(
                        "key 'nans[1]' is \"NaN\", expected a finite number",
                        json -> json.requiredDoubles("nans")),
                new Wrong(
                        "key 'sizes[0]' is 1, expected true or false",
                        json -> json.requiredBooleans("sizes")),
                new Wrong(
                        "key 'sizes' is an array of 3, expected an object",
                        json -> json.requiredObject("sizes")),
                new Wrong(
                        "key 'inner.key' is \"\u00e9\", expected an integer from 0",
                        json -> json.requiredObject("inner").requiredInt("key", 0)));
    }

    @ParameterizedTest
    @MethodSource("wrongValues")
    void wrongValuesAreNamed(Wrong wrong) {
        assertThatThrownBy(() -> wrong.access.accept(CONFIG))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessage("config.json: " + wrong.message);
    }

    private record Broken(String text, List<String> words) {}

    static Stream<Broken> brokenTexts() {
        return Stream.of(
                new Broken("", List.of("is empty", "expected a JSON object")),
                new Broken("[1]", List.of("an array of 1", "expected a JSON object")),
                new Broken("null", List.of("null", "expected a JSON object")),
                new Broken(
                        "{\"a\": 1, \"a\": 1}",
                        List.of("not valid JSON", "Duplicate", "'a'", "line 1")),
                new Broken("{\"b\": {\"a\": 1,\n \"a\": 2}}", List.of("Duplicate", "line 2")),
                new Broken("{} {}", List.of("not valid JSON", "railing")),
                new Broken("{\"a\": 1", List.of("not valid JSON")),
                new Broken("{\"a\": 01}", List.of("not valid JSON")),
                new Broken("{\"a\": nan}", List.of("not valid JSON")),
                new Broken("{\"a\": " + "9".repeat(5000) + "}", List.of("not valid JSON")),
                new Broken("{\"a\": " + "[".repeat(100_000), List.of("not valid JSON", "nesting")));
    }

    @ParameterizedTest
    @MethodSource("brokenTexts")
    void brokenTextIsRefused(Broken broken) {
        assertThatThrownBy(() -> Json.parse("config.json", broken.text))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContainingAll(broken.words.toArray(String[]::new));
    }

    @Test
    void brokenFilesAreRefused() throws IOException {
        Path path = folder.resolve("config.json");
        assertThatThrownBy(() -> Json.read(path))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessage(path + ": does not exist");
        assertThatThrownBy(() -> Json.read(folder))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContaining("not a regular file");
        Files.write(path, new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'});
        assertThatThrownBy(() -> Json.read(path))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(path.toString(), "not valid UTF-8");
        Files.write(path, new byte[50_000_001]);
        assertThatThrownBy(() -> Json.read(path))
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContaining("50000001 bytes");
    }

    @Test
    void releasedSchedulerConfigurationsAreRead() {
        Json json = Json.read(Path.of("tests/golden/schedulers/dpmpp/scheduler_config.json"));
        assertThat(json.requiredText("_class_name")).isEqualTo("DPMSolverMultistepScheduler");
        assertThat(json.optionalBound("lambda_min_clipped", 0)).isEqualTo(Double.NEGATIVE_INFINITY);
    }
}
