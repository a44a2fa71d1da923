package io.sanavideo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.model.TransformerLayer;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.WeightKind;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What becomes of one layer's weight, decoded here once more from its codes and scales. */
class LayerQuantizerTest {
    private static final float[] CODES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    private static final int BLOCK = 16;

    private static Context context;

    @BeforeAll
    static void open() {
        context = Context.cpu(1);
    }

    @AfterAll
    static void close() {
        context.close();
    }

    private static TransformerLayer linear(int parts, int in, int out) {
        List<String> names = List.of("q", "k", "v").subList(0, parts);
        return new TransformerLayer(names, WeightKind.LINEAR, in, out, true);
    }

    private static TransformerLayer temporal(int channels) {
        return new TransformerLayer(List.of("conv"), WeightKind.TEMPORAL, channels, channels, true);
    }

    /** Normal numbers, of each part a size of its own. */
    private static float[] weight(TransformerLayer layer) {
        SplittableRandom random = new SplittableRandom(layer.elements());
        float[] weight = new float[(int) layer.elements()];
        int ofPart = weight.length / layer.parts().size();
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) (random.nextGaussian() * Math.pow(10, i / ofPart));
        }
        return weight;
    }

    private static QuantizedLayer quantize(
            TransformerLayer layer, float[] weight, boolean fourOverSix, int rank) {
        return new LayerQuantizer(context, fourOverSix, rank).quantize(layer, weight);
    }

    /** The numbers of all parts; where an element has the largest code, it is set in saturates. */
    private static float[] decoded(QuantizedLayer layer, int length, boolean[] largestCode) {
        float[] decoded = new float[length];
        int ofPart = length / layer.parts().size();
        for (int i = 0; i < length; i++) {
            QuantizedLayer.Part part = layer.parts().get(i / ofPart);
            int element = i % ofPart;
            int code = part.codes()[element / 2] >> 4 * (element % 2) & 15;
            int bits = part.scales()[element / BLOCK];
            double scale =
                    bits >> 3 == 0
                            ? bits * 0x1p-9
                            : (1 + (bits & 7) / 8.0) * Math.pow(2, (bits >> 3) - 7);
            double size = CODES[code & 7] * scale * part.globalScale();
            decoded[i] = (float) (code < 8 ? size : -size);
            largestCode[i] = (code & 7) == 7;
        }
        return decoded;
    }

    @ParameterizedTest
    @CsvSource({
        "3, 128, 96, false",
        "3, 128, 96, true",
        "1, 96, 40, false",
        "1, 16, 1, false",
        "2, 48, 34, true",
        "0, 96, 96, false",
        "0, 64, 64, true"
    })
    void codesAndScalesStandForTheWeight(int parts, int in, int out, boolean fourOverSix) {
        TransformerLayer layer = parts == 0 ? temporal(in) : linear(parts, in, out);
        float[] weight = weight(layer);

        QuantizedLayer quantized = quantize(layer, weight, fourOverSix, 0);

        assertThat(quantized.lowRank()).isNull();
        assertThat(quantized.parts()).hasSameSizeAs(layer.parts());
        // The largest magnitude of a part has the largest code and scale; with the better of two,
        // the largest scale is 256, so that one half as large again is there too.
        int ofPart = weight.length / layer.parts().size();
        for (int part = 0; part < layer.parts().size(); part++) {
            float largest = 0;
            for (int i = 0; i < ofPart; i++) {
                largest = Math.max(largest, Math.abs(weight[part * ofPart + i]));
            }
            assertThat(quantized.parts().get(part).globalScale())
                    .isEqualTo(largest / (fourOverSix ? 6 * 256 : 6 * 448));
        }
        boolean[] largestCode = new boolean[weight.length];
        float[] decoded = decoded(quantized, weight.length, largestCode);
        double signal = 0;
        double noise = 0;
        int beyond = 0;
        for (int i = 0; i < weight.length; i++) {
            signal += (double) weight[i] * weight[i];
            noise += Math.pow((double) weight[i] - decoded[i], 2);
            beyond += largestCode[i] && Math.abs(weight[i]) > Math.abs(decoded[i]) ? 1 : 0;
        }
        double ratio = 10 * Math.log10(signal / noise);
        // Of normal numbers about 20.3, and 20.9 with the better of two scales.
        assertThat(ratio).isBetween(18.5, 24.0);
        assertThat(quantized.signalToNoise()).isEqualTo(ratio, within(1e-3));
        assertThat(quantized.saturation())
                .isEqualTo((double) beyond / weight.length, within(2.0 / weight.length));
    }

    @Test
    void theBetterOfTwoScalesIsNearer() {
        TransformerLayer layer = linear(1, 128, 96);
        float[] weight = weight(layer);

        assertThat(quantize(layer, weight, true, 0).signalToNoise())
                .isGreaterThan(quantize(layer, weight, false, 0).signalToNoise() + 0.3);
    }

    /** What is large in few directions is taken up by them. */
    @Test
    void aCorrectionTakesUpWhatIsLargeInFewDirections() {
        TransformerLayer layer = linear(1, 128, 96);
        SplittableRandom random = new SplittableRandom(4);
        float[] weight = weight(layer);
        double[] up = random.doubles(96, -10, 10).toArray();
        double[] down = random.doubles(128, -1, 1).toArray();
        for (int i = 0; i < weight.length; i++) {
            weight[i] += (float) (up[i / 128] * down[i % 128]);
        }

        double plain = quantize(layer, weight, false, 0).signalToNoise();
        QuantizedLayer corrected = quantize(layer, weight, false, 1);

        assertThat(corrected.lowRank().rank()).isEqualTo(1);
        assertThat(corrected.signalToNoise()).isGreaterThan(plain + 5);
        float[] stands = decoded(corrected, weight.length, new boolean[weight.length]);
        float[] correction = corrected.lowRank().matrix(context);
        double noise = 0;
        double signal = 0;
        for (int i = 0; i < weight.length; i++) {
            noise += Math.pow((double) weight[i] - stands[i] - correction[i], 2);
            signal += (double) weight[i] * weight[i];
        }
        assertThat(corrected.signalToNoise())
                .isEqualTo(10 * Math.log10(signal / noise), within(1e-3));
    }

    @Test
    void temporalConvolutionsHaveNoCorrection() {
        TransformerLayer layer = temporal(64);

        assertThat(quantize(layer, weight(layer), false, 8).lowRank()).isNull();
    }

    /** JSON has no infinity, and a receipt that holds one cannot be read again. */
    @Test
    void anExactWeightHasAFiniteRatio() {
        TransformerLayer layer = linear(1, 32, 4);
        float[] weight = new float[32 * 4];

        assertThat(quantize(layer, weight, false, 0).signalToNoise())
                .isEqualTo(QuantizedLayer.EXACT);

        // The largest code times the largest scale, so that the global one is 1.
        Arrays.fill(weight, 6 * 448);
        QuantizedLayer exact = quantize(layer, weight, false, 0);
        assertThat(decoded(exact, weight.length, new boolean[weight.length]))
                .containsExactly(weight);
        assertThat(exact.signalToNoise()).isEqualTo(QuantizedLayer.EXACT);
        assertThat(exact.saturation()).isZero();
    }
}
