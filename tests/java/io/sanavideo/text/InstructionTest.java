package io.sanavideo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InstructionTest {
    private static final int PADDING = 0;

    private final Tokenizer tokenizer =
            Tokenizer.open(Path.of("src/main/resources/io/sanavideo/demo/tokenizer"));

    @TempDir Path folder;

    @Test
    void selectsTheRowsThatDiffusersSelects() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        JsonNode cases =
                mapper.readTree(Path.of("tests/golden/tokenizer/instruction.json").toFile());
        assertThat(cases).hasSize(80);
        for (JsonNode one : cases) {
            String text = one.get("instruction").textValue();
            Instruction instruction = text.isEmpty() ? Instruction.NONE : Instruction.of(text);
            int rows = one.get("rows").intValue();
            PromptTokens tokens =
                    instruction.prompt(tokenizer, one.get("prompt").textValue(), rows);
            int[] mask = mapper.convertValue(one.get("mask"), int[].class);
            int[] ids = mapper.convertValue(one.get("ids"), int[].class);
            assertThat(tokens.rows()).isEqualTo(rows);
            int valid = 0;
            for (int row = 0; row < rows; row++) {
                int place = tokens.selection()[row];
                assertThat(place < tokens.ids().length ? tokens.ids()[place] : PADDING)
                        .as("row %d of %s", row, one)
                        .isEqualTo(ids[row]);
                assertThat(tokens.mask()[row])
                        .as("mask %d of %s", row, one)
                        .isEqualTo(mask[row] == 1);
                valid += mask[row];
            }
            assertThat(tokens.validSelection()).hasSize(valid);
        }
    }

    @Test
    void theInstructionItselfIsDroppedButForItsLastToken() {
        int length = tokenizer.encode(Instruction.standard().text()).length;
        PromptTokens tokens = Instruction.standard().prompt(tokenizer, "a red circle", 300);
        assertThat(tokens.rows()).isEqualTo(300);
        assertThat(tokens.selection()[0]).isZero();
        assertThat(tokens.selection()[1]).isEqualTo(length - 1);
        assertThat(tokens.selection()[299]).isEqualTo(length + 297);
        assertThat(tokens.ids()).startsWith(tokenizer.encode("You write shot"));
        assertThat(tokens.validSelection()).hasSize(tokens.ids().length - length + 2);
    }

    @Test
    void aNegativePromptHasNoInstruction() {
        PromptTokens tokens = Instruction.plain(tokenizer, " Moving LEFT ", 24);
        assertThat(tokens.ids()).containsExactly(tokenizer.encode("moving left"));
        assertThat(tokens.rows()).isEqualTo(24);
        assertThat(Instruction.plain(tokenizer, "", 24).validSelection()).containsExactly(0);
    }

    @Test
    void theMotionScoreIsASentenceBehindThePrompt() {
        assertThat(Instruction.withMotionScore("a red circle", 30))
                .isEqualTo("a red circle motion score: 30.");
        assertThatThrownBy(() -> Instruction.withMotionScore("a red circle", -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("motion score is -1");
    }

    @Test
    void theStandardWordingEndsWhereThePromptBegins() {
        assertThat(Instruction.standard().text()).endsWith("Request: ").doesNotContain("  ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Say it: ", "Say it: \n", "Say it: \r\n"})
    void aFilesLastLineEndIsNotPartOfIt(String content) throws IOException {
        Path file = Files.writeString(folder.resolve("instruction.txt"), content);
        assertThat(Instruction.load(file).text()).isEqualTo("Say it: ");
    }

    @Test
    void otherLineEndsOfAFileStay() throws IOException {
        Path file = Files.writeString(folder.resolve("instruction.txt"), "\nSay\nit:\n\n");
        assertThat(Instruction.load(file).text()).isEqualTo("\nSay\nit:\n");
    }

    @Test
    void refusesFilesThatHoldNoInstruction() throws IOException {
        Path missing = folder.resolve("missing.txt");
        assertThatThrownBy(() -> Instruction.load(missing))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(missing + ": cannot be read");
        Path empty = Files.writeString(folder.resolve("empty.txt"), "\n");
        assertThatThrownBy(() -> Instruction.load(empty))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(empty + ": is empty");
        Path binary = Files.write(folder.resolve("binary.txt"), new byte[] {(byte) 0xFF});
        assertThatThrownBy(() -> Instruction.load(binary))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(binary + ": is not UTF-8");
        assertThatThrownBy(() -> Instruction.of(""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("empty");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void refusesNoRows(int rows) {
        assertThatThrownBy(() -> Instruction.standard().prompt(tokenizer, "a", rows))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(rows + " text rows");
        assertThatThrownBy(() -> Instruction.plain(tokenizer, "a", rows))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(rows + " text rows");
    }
}
