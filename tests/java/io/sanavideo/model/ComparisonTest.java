package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ComparisonTest {
    @Test
    void measuresErrors() {
        Comparison comparison = Comparison.of("x", new float[] {3, 4.5f, 0}, new float[] {3, 4, 0});
        assertThat(comparison.relativeL2()).isCloseTo(0.1, within(1e-12));
        assertThat(comparison.maxError()).isEqualTo(0.5);
    }

    @Test
    void nothingIsCloseToNotANumber() {
        Comparison comparison = Comparison.of("x", new float[] {Float.NaN, 1}, new float[] {1, 1});
        assertThat(comparison.relativeL2()).isNaN();
        assertThat(comparison.maxError()).isNaN();
    }

    @Test
    void onlyZerosAreCloseToZeros() {
        assertThat(Comparison.of("x", new float[2], new float[2]).relativeL2()).isZero();
        assertThat(Comparison.of("x", new float[] {0, 1e-9f}, new float[2]).relativeL2())
                .isInfinite();
    }

    @Test
    void refusesAnotherNumberOfElements() {
        assertThatThrownBy(() -> Comparison.of("output", new float[2], new float[3]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("output")
                .hasMessageContaining("2")
                .hasMessageContaining("3");
    }

    @Test
    void movesChannels() {
        float[] channelsFirst = {1, 2, 3, 10, 20, 30};
        assertThat(ChannelsLast.of(channelsFirst, 2)).containsExactly(1, 10, 2, 20, 3, 30);
        assertThat(ChannelsLast.toChannelsFirst(ChannelsLast.of(channelsFirst, 2), 2))
                .containsExactly(channelsFirst);
        assertThatThrownBy(() -> ChannelsLast.of(new float[5], 2))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
