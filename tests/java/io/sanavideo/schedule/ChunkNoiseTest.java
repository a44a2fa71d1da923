package io.sanavideo.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChunkNoiseTest {
    /**
     * By Python: {@code hashlib.sha256(struct.pack('>4q', seed, beat, chunk, step)).digest()[-4:]}.
     */
    @ParameterizedTest
    @CsvSource({
        "7, 0, 0, 0, 2492656347",
        "7, 0, 0, 1, 264985658",
        "7, 0, 1, 0, 1982811554",
        "7, 1, 0, 0, 1685150054",
        "8, 0, 0, 0, 4240706601",
        "-1, 3, 2, 1, 950232674"
    })
    void seedsAreTheLastBytesOfAHash(long seed, long beat, long chunk, long step, long expected) {
        assertThat(new ChunkNoise(seed).seedOf(beat, chunk, step)).isEqualTo(expected);
    }

    @Test
    void drawsAsPyTorchDoesFromThatSeed() {
        assertThat(new ChunkNoise(7).draw(0, 1, 0, 40))
                .containsExactly(TorchRandom.randn(1982811554L, 40));
    }
}
