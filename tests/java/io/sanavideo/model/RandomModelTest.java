package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RandomModelTest {
    private static final Path DEMO = Path.of("src/main/resources/io/sanavideo/demo");

    @TempDir Path folder;

    @Test
    void writesAModelThatLoadsAndStaysFinite() {
        RandomModel model = RandomModel.of(DEMO);
        AtomicLong written = new AtomicLong();
        model.write(folder, 1, written::set);
        assertThat(written).hasValue(model.parameters());
        assertThat(folder.resolve("model_index.json")).exists();
        assertThat(folder.resolve("scheduler/scheduler_config.json")).exists();
        assertThat(folder.resolve("tokenizer/tokenizer.json"))
                .hasSameBinaryContentAs(DEMO.resolve("tokenizer/tokenizer.json"));
        try (Context context = Context.cpu(0);
                Gemma2Encoder encoder =
                        Gemma2Encoder.load(context, folder.resolve("text_encoder"), DType.BF16);
                SanaTransformer transformer =
                        SanaTransformer.load(context, folder.resolve("transformer"), DType.BF16);
                WanVaeDecoder decoder =
                        WanVaeDecoder.load(context, folder.resolve("vae"), DType.BF16);
                Tensor words = encoder.encode(new int[] {2, 10, 20, 30});
                TransformerText text = new TransformerText(transformer, words);
                TransformerRun run =
                        new TransformerRun(transformer, 2, 4, 4, OptionalDouble.empty());
                WanVaeStream stream = new WanVaeStream(decoder, 4, 4)) {
            Tensor latents = context.tensor(DType.F32, 2, 4, 4, 16);
            float[] noise = new float[(int) latents.elements()];
            NormalNumbers numbers = new NormalNumbers(3);
            for (int i = 0; i < noise.length; i++) {
                noise[i] = numbers.at(i);
            }
            latents.upload(noise);
            Tensor velocity = context.tensor(DType.F32, latents.shape());
            run.velocity(latents, new double[] {900}, text, velocity);
            context.ops().requireFinite(velocity);
            assertThat(norm(velocity.toFloats())).as("root mean square").isBetween(0.1, 10.0);
            stream.decode(velocity.slice(0, 1), picture -> context.ops().requireFinite(picture));
        }
    }

    private static double norm(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum / values.length);
    }

    @Test
    void theSeedDecides() throws IOException {
        Path weights = Path.of("transformer/diffusion_pytorch_model.safetensors");
        RandomModel model = RandomModel.of(DEMO);
        for (int i = 0; i < 3; i++) {
            model.write(folder.resolve("" + i), i / 2, parameters -> {});
        }
        Path first = folder.resolve("0").resolve(weights);
        assertThat(folder.resolve("1").resolve(weights)).hasSameBinaryContentAs(first);
        assertThat(Files.mismatch(first, folder.resolve("2").resolve(weights))).isNotNegative();
    }

    @ParameterizedTest
    @ValueSource(strings = {"480p", "720p"})
    void knowsTheReleasedModels(String name) {
        assertThat(RandomModel.builtIn(name).parameters())
                .isBetween(4_700_000_000L, 6_000_000_000L);
    }

    @Test
    void listsTheTensorsOfLtxVaes() {
        Path vae = Path.of("tests/golden/ltx2-vae");
        try (Checkpoint checkpoint = Checkpoint.open(vae)) {
            LtxVaeTensors.of(LtxVaeConfig.of(Json.read(vae.resolve("config.json"))))
                    .verify(checkpoint);
        }
    }

    @Test
    void refusesFoldersThatHoldSomething() throws IOException {
        Files.writeString(folder.resolve("note"), "mine");
        assertThatThrownBy(() -> RandomModel.of(DEMO).write(folder, 1, parameters -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not empty");
        assertThatThrownBy(() -> RandomModel.of(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("transformer/config.json");
        assertThatThrownBy(() -> RandomModel.builtIn("1080p"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("480p");
    }

    @Test
    void numbersAreNearlyNormal() {
        NormalNumbers numbers = new NormalNumbers(9);
        int count = 1_000_000;
        double sum = 0;
        double squares = 0;
        int inside = 0;
        for (int i = 0; i < count; i++) {
            float number = numbers.at(i);
            sum += number;
            squares += (double) number * number;
            inside += Math.abs(number) < 1 ? 1 : 0;
        }
        assertThat(sum / count).isCloseTo(0, within(0.005));
        assertThat(squares / count).isCloseTo(1, within(0.005));
        assertThat((double) inside / count).isCloseTo(0.68, within(0.02));
    }

    @Test
    void blocksOfNumbersAreTheSameNumbers() {
        NormalNumbers numbers = new NormalNumbers(4);
        short[] block = new short[200_000];
        numbers.fillBf16(50, block.length, 0.5, block);
        for (int i : new int[] {0, 1, 65_535, 65_536, 199_999}) {
            float expected = 0.5f * numbers.at(50 + i);
            float actual = Float.intBitsToFloat(block[i] << 16);
            assertThat(actual).isCloseTo(expected, within(Math.abs(expected) / 256 + 1e-9f));
        }
    }
}
