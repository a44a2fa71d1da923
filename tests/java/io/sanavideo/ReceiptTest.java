package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The receipt of a quantised model, as an object and as a file. */
class ReceiptTest {
    private static final double NONE = Double.NaN;

    @TempDir private Path folder;

    private static Receipt receipt() {
        return new Receipt(
                "0.1",
                "ab".repeat(32),
                "cd".repeat(32),
                "imported: \"low\" nibble first",
                true,
                32,
                3,
                0.875,
                List.of(
                        new Receipt.Layer(
                                "blocks.0.a", LayerPrecision.NVFP4, 20.5, 0.25, 0.125, 0.09),
                        new Receipt.Layer(
                                "blocks.0.b", LayerPrecision.NVFP4_WEIGHTS, 21.5, 0, NONE, 0.01),
                        new Receipt.Layer(
                                "blocks.0.c", LayerPrecision.BF16, NONE, NONE, NONE, NONE)),
                List.of(
                        new Receipt.Check("a red circle", 7, List.of(0.001, 0.25), 30.5, 0.75),
                        new Receipt.Check(
                                "ein \u00e4hnlicher \"Kreis\"", -1L << 60, List.of(0.0), 100, 1)));
    }

    @Test
    void readsWhatItWrites() {
        receipt().write(folder);

        assertThat(Receipt.read(folder)).isEqualTo(receipt());
    }

    @Test
    void whatWasNotMeasuredIsLeftOut() {
        assertThat(receipt().json().at("/layers/2").toString())
                .isEqualTo("{\"name\":\"blocks.0.c\",\"precision\":\"bf16\"}");
        assertThat(receipt().json().at("/layers/1").toString())
                .doesNotContain("input_saturation")
                .contains("\"saturation\":0.0", "\"output_error\":0.01");
    }

    @Test
    void withoutLayersAndChecks() {
        Receipt empty =
                new Receipt("0.1", "a", "b", "quantized", false, 0, 0, 0, List.of(), List.of());
        empty.write(folder);

        assertThat(Receipt.read(folder)).isEqualTo(empty);
        assertThat(empty.psnr()).isNaN();
        assertThat(empty.ssim()).isNaN();
        assertThat(empty.outputError()).isZero();
    }

    @Test
    void sumsAndMeansAreOfWhatWasMeasured() {
        assertThat(receipt().outputError()).isEqualTo(0.1, within(1e-12));
        assertThat(receipt().psnr()).isEqualTo(65.25, within(1e-12));
        assertThat(receipt().ssim()).isEqualTo(0.875, within(1e-12));
    }

    @Test
    void aMissingReceiptIsRefusedWithAWayOut() {
        assertThatThrownBy(() -> Receipt.read(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(
                        folder.toString(),
                        "there is no receipt.json",
                        "sana-video quantize",
                        "--trust");
    }

    @Test
    void otherWeightsAreRefusedWithBothHashes() {
        String other = "ef".repeat(32);

        receipt().requireFor(folder, "ab".repeat(32));
        assertThatThrownBy(() -> receipt().requireFor(folder, other))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(
                        folder.toString(), "ab".repeat(32), other, "changed", "--trust");
    }

    /** Each replaces a text of the file. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"receipt\" | [\"receipt\" | is not valid JSON",
                "\"receipt\":1 | \"receipt\":2 | key 'receipt' is 2, expected an integer from 1 to 1",
                "\"receipt\":1, | ~~ | key 'receipt' is missing",
                "\"weights_sha256\" | \"weights\" | key 'weights_sha256' is missing",
                "\"dense_sha256\" | \"dense\" | key 'dense_sha256' is missing",
                "\"made_by\":\"0.1\" | \"made_by\":0.1 | key 'made_by' is 0.1, expected a string",
                "\"origin\" | \"or\" | key 'origin' is missing",
                "\"four_over_six\":true | \"four_over_six\":1 | key 'four_over_six' is 1, expected true or false",
                "\"rank\":32 | \"rank\":-1 | key 'rank' is -1, expected an integer from 0",
                "\"calibrated\":3 | \"calibrated\":\"3\" | key 'calibrated' is \"3\"",
                "\"nvfp4_share\":0.875 | \"nvfp4_share\":null | key 'nvfp4_share' is null",
                "\"layers\" | \"layer\" | key 'layers' is missing",
                "\"blocks.0.b\" | 5 | key 'layers[1].name' is 5",
                "\"precision\":\"bf16\" | \"precision\":\"int4\" | key 'layers[2].precision' is \"int4\", expected one of [bf16, nvfp4-weights, nvfp4]",
                "\"signal_to_noise_db\":20.5 | \"signal_to_noise_db\":\"NaN\" | key 'layers[0].signal_to_noise_db' is \"NaN\", expected a finite number",
                "\"checks\" | \"check\" | key 'checks' is missing",
                "\"seed\":\"7\" | \"seed\":\"seven\" | key 'checks[0].seed' is \"seven\", expected an integer",
                "\"seed\":\"7\" | \"seed\":7 | key 'checks[0].seed' is 7",
                "[0.001,0.25] | [0.001,\"x\"] | key 'checks[0].latent_errors[1]' is \"x\"",
                "[0.001,0.25] | [] | key 'checks[0].latent_errors' is an array of 0",
                "\"psnr_db\":30.5 | \"psnr_db\":true | key 'checks[0].psnr_db' is true",
                "\"ssim\":0.75 | \"ss\":0.75 | key 'checks[0].ssim' is missing"
            })
    void aBrokenOneIsRefusedByFileAndKey(String text, String replacement, String words)
            throws IOException {
        String whole = new ObjectMapper().writeValueAsString(receipt().json());
        assertThat(whole).contains(text);
        Path file =
                Files.writeString(folder.resolve(Receipt.FILE), whole.replace(text, replacement));

        assertThatThrownBy(() -> Receipt.read(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(file.toString(), words);
    }
}
