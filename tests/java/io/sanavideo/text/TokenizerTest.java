package io.sanavideo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.SafetensorsFile;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    private static final Path DEMO = Path.of("src/main/resources/io/sanavideo/demo/tokenizer");
    private static final Path GOLDEN = Path.of("tests/golden/tokenizer");
    private static final Path FEATURES = GOLDEN.resolve("features/tokenizer.json");

    @TempDir Path folder;

    @Test
    void equalsTheReferenceOnTheDemosTokenizer() throws IOException {
        assertEqualsReference(Tokenizer.open(DEMO), GOLDEN.resolve("demo.json"), 39);
    }

    @Test
    void equalsTheReferenceOnEveryPartThatIsRead() throws IOException {
        assertEqualsReference(Tokenizer.open(FEATURES), GOLDEN.resolve("features/ids.json"), 31);
    }

    private static void assertEqualsReference(Tokenizer tokenizer, Path golden, int count)
            throws IOException {
        JsonNode cases = new ObjectMapper().readTree(golden.toFile());
        assertThat(cases).hasSize(count);
        for (JsonNode one : cases) {
            int[] ids = new ObjectMapper().convertValue(one.get("ids"), int[].class);
            assertThat(tokenizer.encode(one.get("text").textValue()))
                    .as(one.get("text").toString())
                    .containsExactly(ids);
        }
    }

    @Test
    void equalsTheIdsOfTheDemosPipeline() {
        Tokenizer tokenizer = Tokenizer.open(DEMO);
        try (SafetensorsFile golden =
                SafetensorsFile.open(Path.of("tests/golden/demo/golden.safetensors"))) {
            float[] expected = golden.tensor("input_ids").toFloats();
            int[] ids = tokenizer.encode(golden.metadata().get("prompt"));
            for (int i = 0; i < expected.length; i++) {
                assertThat(i < ids.length ? ids[i] : 0).isEqualTo((int) expected[i]);
            }
            int[] negative = tokenizer.encode(golden.metadata().get("negative_prompt"));
            assertThat(negative)
                    .containsExactly((int) golden.tensor("negative_input_ids").toFloats()[0]);
        }
    }

    @Test
    void readsFromAZipFileSystem() throws IOException {
        URI zip = URI.create("jar:" + folder.resolve("model.jar").toUri());
        try (FileSystem files = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
            Files.copy(DEMO.resolve("tokenizer.json"), files.getPath("/tokenizer.json"));
            assertThat(Tokenizer.open(files.getPath("/")).encode("a b"))
                    .containsExactly(Tokenizer.open(DEMO).encode("a b"));
        }
    }

    /** 200,000 characters in one piece: time would show a quadratic merge. */
    @Test
    void readsVeryLongText() {
        int[] ids = Tokenizer.open(DEMO).encode("moving".repeat(33_333));
        int[] one = Tokenizer.open(DEMO).encode("moving");
        assertThat(ids).hasSize(1 + 33_333 * (one.length - 1));
        assertThat(ids).endsWith(Arrays.copyOfRange(one, 1, one.length));
    }

    @Test
    void truncationDropsTheEndOfTheTextAndKeepsTheTemplate() {
        Tokenizer tokenizer = Tokenizer.open(FEATURES);
        assertThat(tokenizer.encode("xaxbxc")).containsExactly(1, 0, 3, 0, 4, 0, 5, 2);
        assertThat(tokenizer.encode("xaxbxc", 8)).containsExactly(1, 0, 3, 0, 4, 0, 5, 2);
        assertThat(tokenizer.encode("xaxbxc", 5)).containsExactly(1, 0, 3, 0, 2);
        assertThat(tokenizer.encode("xaxbxc", 2)).containsExactly(1, 2);
        assertThatThrownBy(() -> tokenizer.encode("x", 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most 1 tokens")
                .hasMessageContaining("expected 2 or more");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"whole\": 22 | \"whole\": 30 | 30",
                "\"normalized\": false | \"normalized\": true | 26",
                "\"normalized\": true | \"normalized\": false | 26",
                "\"ids\": [ | \"ids\": [40, | 40",
            })
    void theLargestIdIsThatOfAnyPart(String find, String replacement, int id) throws IOException {
        String changed = Files.readString(FEATURES).replace(find, replacement);
        Path file = Files.writeString(folder.resolve("tokenizer.json"), changed);

        assertThat(Tokenizer.open(file).largestId()).isEqualTo(id);
    }

    @ParameterizedTest
    @CsvSource({
        "'\uD83D', 0",
        "'ab\uDE00', 2",
        "'\uD83Dx', 0",
        "'\uD83D\uDE00\uD83D\uD83D\uDE00', 2"
    })
    void refusesUnpairedSurrogates(String text, int index) {
        assertThatThrownBy(() -> Tokenizer.open(DEMO).encode(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("unpaired surrogate")
                .hasMessageContaining("at index " + index);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"type\": \"BPE\" | \"type\": \"Unigram\" | 'model.type' | BPE",
                "\"dropout\": null | \"dropout\": 0.1 | 'model.dropout' | by chance",
                "\"unk_token\": \"<unk>\" | \"unk_token\": \"<u>\" | 'model.unk_token' | of the"
                        + " vocabulary",
                "\"continuing_subword_prefix\": null | \"continuing_subword_prefix\": \"##\" |"
                        + " 'model.continuing_subword_prefix' | null",
                "\"end_of_word_suffix\": null | \"end_of_word_suffix\": \"</w>\" |"
                        + " 'model.end_of_word_suffix' | null",
                "\"whole\": 22 | \"whole\": -1 | 'model.vocab.whole' | from 0",
                "\"whole\": 22 | \"whole\": 99999999999 | 'model.vocab.whole' | from 0",
                "\"_a b\" | \"ab\" | merge 8 | two tokens",
                "\"_a b\" | \"a b c\" | merge 8 | two tokens",
                "\"_a b\" | [\"a\"] | merge 8 | two tokens",
                "\"_a b\" | \"a q\" | merge 8 of 'a' and 'q' | 'q' is not in the vocabulary",
                "\"_a b\" | \"c c\" | merge 8 of 'c' and 'c' | 'cc' is not in the vocabulary",
                "\"merges\": [ | \"old_merges\": [ | 'model.merges' | missing",
                "\"type\": \"Sequence\" | \"type\": \"NFKC\" | 'normalizer.type' | Replace",
                "\"String\": \"B\" | \"Regex\": \"B\" | 'normalizer.normalizers[0].pattern.String'"
                        + " | missing",
                "\"String\": \"B\" | \"String\": \"\" | 'normalizer.normalizers[0].pattern.String'"
                        + " | at least one",
                "\"type\": \"Split\" | \"type\": \"Metaspace\" | 'pre_tokenizer.type' | Split",
                "\"behavior\": \"MergedWithNext\" | \"behavior\": \"Merged\" |"
                        + " 'pre_tokenizer.behavior' | Isolated",
                "\"type\": \"TemplateProcessing\" | \"type\": \"ByteLevel\" | 'post_processor.type'"
                        + " | TemplateProcessing",
                "\"special_tokens\": { | \"specials\": { | 'post_processor.special_tokens' |"
                        + " missing",
                "\"ids\": [ | \"ids\": [-1, | 'post_processor.special_tokens.<s>.ids[0]' | from 0",
                "\"id\": \"A\" | \"id\": \"B\" | 'post_processor.single[1].Sequence.id' | \"A\","
                        + " once",
                "\"id\": 23, | \"id\": 24, | 'added_tokens[2].id' | 23",
                "\"id\": 1, | \"id\": 7, | 'added_tokens[0].id' | 1, which '<s>' has in the"
                        + " vocabulary",
                "\"content\": \"</s>\" | \"content\": \"<s>\" | 'added_tokens[1].content' | no"
                        + " other",
                "\"single_word\": false | \"single_word\": true | 'added_tokens[0].single_word' |"
                        + " false",
                "\"lstrip\": false | \"lstrip\": true | 'added_tokens[0].lstrip' | false",
                "\"rstrip\": false | \"rstrip\": true | 'added_tokens[0].rstrip' | false",
            })
    void refusesWhatItCannotRead(String find, String replacement, String where, String words)
            throws IOException {
        String good = Files.readString(FEATURES);
        assertThat(good).contains(find);
        int at = good.indexOf(find);
        Path file = folder.resolve("tokenizer.json");
        Files.writeString(
                file, good.substring(0, at) + replacement + good.substring(at + find.length()));
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(where)
                .hasMessageContaining(words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "{}", "{\"model\": 3}", "\u0000", "{\"model\": {}} x"})
    void refusesBrokenFiles(String content) throws IOException {
        Path file = folder.resolve("tokenizer.json");
        Files.write(file, content.getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void namesAMissingFile() {
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(folder.resolve("tokenizer.json") + ": does not exist")
                .hasMessageContaining("not from SentencePiece");
    }
}
