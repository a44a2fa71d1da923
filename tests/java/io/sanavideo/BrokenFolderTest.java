package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Model folders that lack files, or hold others than they should. */
class BrokenFolderTest extends BrokenModel {
    static Stream<Row> folders() {
        return Stream.of(
                row("no folder", copy -> copy.delete(""), "does not exist", "diffusers layout"),
                row("no index", copy -> copy.delete(INDEX), INDEX, "does not exist"),
                row("index is no JSON", copy -> copy.write(INDEX, "{"), INDEX, "not valid JSON"),
                row("index is a list", copy -> copy.write(INDEX, "[]"), "expected a JSON object"),
                row("index is empty", copy -> copy.write(INDEX, ""), INDEX, "is empty"),
                row(
                        "index names another transformer",
                        copy -> copy.replace(INDEX, "SanaVideoTransformer3DModel", "Flux"),
                        "'transformer'",
                        "SanaVideoTransformer3DModel"),
                row(
                        "index names no VAE",
                        copy -> copy.replace(INDEX, "\"vae\"", "\"eav\""),
                        "key 'vae' is missing"),
                value(INDEX, "text_encoder", "[null, null]", "'text_encoder[0]' is null"),
                row("no VAE folder", copy -> copy.delete("vae"), "folder 'vae' is missing"),
                row(
                        "no scheduler folder",
                        copy -> copy.delete("scheduler"),
                        "folder 'scheduler' is missing"),
                row(
                        "no tokenizer folder",
                        copy -> copy.delete("tokenizer"),
                        "folder 'tokenizer' is missing"),
                row("no tokenizer", copy -> copy.delete(TOKENIZER), TOKENIZER, "does not exist"),
                row(
                        "tokenizer is no JSON",
                        copy -> copy.truncate(TOKENIZER, 500),
                        TOKENIZER,
                        "not valid JSON"),
                row(
                        "tokenizer of another kind",
                        copy -> copy.replace(TOKENIZER, "\"BPE\"", "\"Unigram\""),
                        TOKENIZER,
                        "Unigram"),
                row("no config", copy -> copy.delete(VAE_CONFIG), VAE_CONFIG, "does not exist"),
                row(
                        "config is no JSON",
                        copy -> copy.write(TRANSFORMER_CONFIG, "{\"num_layers\" 6}"),
                        TRANSFORMER_CONFIG,
                        "not valid JSON"),
                row("defaults are no JSON", copy -> copy.write(DEFAULTS, "64x64"), DEFAULTS));
    }

    @ParameterizedTest
    @MethodSource("folders")
    void saysWhatIsWrong(Row row) throws IOException {
        assertRefused(row);
    }

    @Test
    void copyThatIsNotBrokenRuns() {
        try (SanaVideo sana = open(Precision.F32)) {
            assertThat(sana.generate(TextToVideo.prompt("a red circle").steps(1).build()))
                    .isNotNull();
        }
    }
}
