package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizeCommandTest {
    private static final String DEMO = "src/main/resources/io/sanavideo/demo";

    @ParameterizedTest
    @ValueSource(strings = {"demo", DEMO, DEMO + "/tokenizer", DEMO + "/tokenizer/tokenizer.json"})
    void printsTheIdsOfAText(String model) {
        CommandRun run = CommandRun.of("tokenize", model, "a red circle");
        assertThat(run.code()).as(run.toString()).isEqualTo(ExitCode.DONE);
        assertThat(run.out()).isEqualTo("[2, 324, 455, 393]\n");
    }

    @Test
    void aTextIsNotTheNameOfAFile() {
        String ids = CommandRun.of("tokenize", "demo", "@pom.xml").out();
        assertThat(ids).isEqualTo(fed("@pom.xml").out()).hasLineCount(1);
    }

    @Test
    void readsATextALine() {
        String[] texts = {
            "a red circle",
            "",
            " two  spaces ",
            "h\u00e9llo \ud83d\ude00",
            "a\rb",
            "a\u0085b\u2028c"
        };
        Tokenizer tokenizer = Tokenizer.open(Path.of(DEMO, "tokenizer"));
        String expected =
                Stream.of(texts)
                        .map(text -> Arrays.toString(tokenizer.encode(text)) + "\n")
                        .collect(Collectors.joining());
        for (String end : new String[] {"\n", "\r\n"}) {
            String lines = String.join(end, texts);
            assertThat(fed(lines).out()).isEqualTo(expected);
            assertThat(fed(lines + end).out()).isEqualTo(expected);
        }
        assertThat(fed("").out()).isEmpty();
        assertThat(fed("\n").out()).isEqualTo("[2]\n");
    }

    private static CommandRun fed(String input) {
        return CommandRun.withInput(
                input.getBytes(StandardCharsets.UTF_8), "tokenize", "demo", "-");
    }

    @Test
    void refusesWhatIsNotUtf8() {
        CommandRun run = CommandRun.withInput(new byte[] {'a', -1, '\n'}, "tokenize", "demo", "-");
        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("not valid UTF-8");
    }

    @Test
    void refusesWhatIsNoTokenizer() {
        CommandRun missing = CommandRun.of("tokenize", "/nowhere/tokenizer.json", "a");
        assertThat(missing.code()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(missing.err()).contains("does not exist");
        assertThat(CommandRun.of("tokenize", "demo").code()).isEqualTo(ExitCode.USAGE);
    }
}
