package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.weights.Json;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The operations that rates are computed from, against the layers of the released models. */
class BenchTest {
    private static final Path RELEASED = Path.of("src/main/resources/io/sanavideo/random/480p");

    @Test
    void countsTheOperationsOfABlock() {
        TransformerConfig config =
                TransformerConfig.of(Json.read(RELEASED.resolve("transformer/config.json")));

        assertThat(Bench.blockOperations(config, 5 * 16 * 28, 300)).isCloseTo(419e9, within(0.5e9));
    }

    @Test
    void countsTheOperationsOfTheVae() {
        WanVaeConfig config = WanVaeConfig.of(Json.read(RELEASED.resolve("vae/config.json")));
        long small = 16 * 28;
        long multiplications =
                // Latent to the middle block: convolutions, then the attention's.
                small * (16 * 16 + 27 * 16 * 384 + 4 * 27 * 384 * 384)
                        + small * (4 * 384 * 384 + 2 * small * 384)
                        // 384 channels; frames double, then size, to 192 channels.
                        + small * 6 * 27 * 384 * 384
                        + small * 3 * 384 * 768
                        + 2 * 4 * small * 9 * 384 * 192
                        // From 192 to 384 channels.
                        + 8 * small * (27 * 192 * 384 + 192 * 384 + 5 * 27 * 384 * 384)
                        + 8 * small * 3 * 384 * 768
                        + 4 * 16 * small * 9 * 384 * 192
                        // 192 channels; size doubles to 96 channels.
                        + 64 * small * 6 * 27 * 192 * 192
                        + 256 * small * 9 * 192 * 96
                        // 96 channels to colours.
                        + 256 * small * (6 * 27 * 96 * 96 + 27 * 96 * 3);

        assertThat(Bench.vaeOperations(config, 16, 28)).isEqualTo(2.0 * multiplications);
        assertThat(2.0 * multiplications).isCloseTo(968e9, within(1e9));
    }

    @Test
    void countsTheOperationsOfTheVaesEncoder() {
        WanVaeConfig config = WanVaeConfig.of(Json.read(RELEASED.resolve("vae/config.json")));
        long small = 16 * 28;
        long multiplications =
                // Four pictures to 96 channels; size halves.
                4 * 64 * small * (27 * 3 * 96 + 4 * 27 * 96 * 96)
                        + 4 * 16 * small * 9 * 96 * 96
                        // 192 channels; size halves, then frames.
                        + 4 * 16 * small * (27 * 96 * 192 + 96 * 192 + 3 * 27 * 192 * 192)
                        + 4 * 4 * small * 9 * 192 * 192
                        + 2 * 4 * small * 3 * 192 * 192
                        // 384 channels; likewise.
                        + 2 * 4 * small * (27 * 192 * 384 + 192 * 384 + 3 * 27 * 384 * 384)
                        + 2 * small * 9 * 384 * 384
                        + small * 3 * 384 * 384
                        // The last level, the middle block with its attention, mean and variance.
                        + small * (4 + 4) * 27 * 384 * 384
                        + small * (4 * 384 * 384 + 2 * small * 384)
                        + small * (27 * 384 * 32 + 32 * 32);

        assertThat(Bench.vaeEncoderOperations(config, 16, 28)).isEqualTo(2.0 * multiplications);
    }
}
