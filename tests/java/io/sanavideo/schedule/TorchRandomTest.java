package io.sanavideo.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.RelativeError;
import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.StoredTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchRandomTest {
    private static final Path GOLDEN = Path.of("tests/golden/torch-noise/golden.safetensors");
    private static final Pattern NAME = Pattern.compile("seed(\\d+)\\.n(\\d+)");

    @Test
    void equalsPyTorch() {
        try (SafetensorsFile golden = SafetensorsFile.open(GOLDEN)) {
            assertThat(golden.tensors()).hasSize(18);
            for (StoredTensor tensor : golden.tensors().values()) {
                Matcher name = NAME.matcher(tensor.name());
                assertThat(name.matches()).as(tensor.name()).isTrue();
                float[] noise =
                        TorchRandom.randn(
                                Long.parseLong(name.group(1)), Long.parseLong(name.group(2)));
                assertThat(RelativeError.of(noise, tensor.toFloats()))
                        .as(tensor.name())
                        .isLessThan(1e-6);
            }
        }
    }

    /**
     * Draws of 5, 100, 4, 16, 1 and 3 numbers from one generator of seed 3, made with torch 2.13:
     * the second normal of a short draw outlives a long one.
     */
    @Test
    void laterDrawsContinueTheGenerator() {
        TorchRandom random = new TorchRandom(3);
        float[] drawn = new float[DRAWS.length];
        int at = 0;
        for (int count : new int[] {5, 100, 4, 16, 1, 3}) {
            float[] draw = random.randn(count);
            for (int i = Math.max(0, count - 3); i < count; i++) {
                drawn[at++] = draw[i];
            }
        }
        assertThat(at).isEqualTo(DRAWS.length);
        assertThat(RelativeError.of(drawn, DRAWS)).isLessThan(1e-6);
    }

    /** The last three numbers of each draw. */
    private static final float[] DRAWS = {
        0.0889780968f, -0.613718033f, 0.0461824499f, 2.35733867f, -0.796585977f,
        0.18540962f, -0.028180778f, 1.46275175f, 3.78889799f, -0.12418174f,
        0.956276655f, -0.114818819f, 0.268180996f, -0.923859119f, -0.737842381f,
        0.1656629f
    };

    @ParameterizedTest
    @ValueSource(ints = {16, 160, 4096})
    void wholeGroupsDrawnApartAreTheSame(int count) {
        TorchRandom random = new TorchRandom(11);
        float[] first = random.randn(count);
        float[] second = random.randn(count);
        float[] both = TorchRandom.randn(11, 2L * count);
        assertThat(first).containsExactly(Arrays.copyOf(both, count));
        assertThat(second).containsExactly(Arrays.copyOfRange(both, count, 2 * count));
    }

    @Test
    void theLow32BitsOfTheSeedDecide() {
        assertThat(TorchRandom.randn(-1, 20)).containsExactly(TorchRandom.randn(0xFFFFFFFFL, 20));
        assertThat(TorchRandom.randn(7, 20)).isNotEqualTo(TorchRandom.randn(8, 20));
        assertThat(TorchRandom.randn(7, 0)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Integer.MAX_VALUE, 1L << 40})
    void refusesCountsThatNoArrayHolds(long count) {
        assertThatThrownBy(() -> TorchRandom.randn(0, count))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot draw " + count + " numbers")
                .hasMessageContaining("expected 0 to");
    }
}
