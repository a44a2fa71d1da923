package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.LayerPolicy;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.ModelFormatException;
import io.sanavideo.RelativeError;
import io.sanavideo.SanaVideo;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.EditedTensors;
import io.sanavideo.weights.RandomLora;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** LoRAs of the demo model: both ways to apply them, against weights that were edited by hand. */
class LoraLayersTest {
    private static final Path DEMO = SanaVideo.demoModel().resolve("transformer");
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final String BLOCK = "transformer_blocks.0.";

    /** Of f32, by rounding alone. */
    private static final double SAME = 1e-5;

    private static final double OTHER = 1e-3;

    @TempDir private Path folder;

    private final Context context = Context.cpu(1);
    private float[] latents;
    private float[] words;

    @BeforeEach
    void draw() {
        Random random = new Random(11);
        latents = normal(random, 2 * 8 * 8 * 16);
        words = normal(random, 7 * 96);
    }

    @AfterEach
    void close() {
        context.close();
    }

    private static float[] normal(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Of every kind of layer that can be adapted, in several blocks. */
    private static RandomLora everywhere(long seed) {
        RandomLora lora = RandomLora.ofBlock(seed, 0, 5);
        for (int block = 1; block < 3; block++) {
            String name = "transformer_blocks." + block + ".";
            lora.layer(name + "attn1.to_k", 128, 3, 128L)
                    .layer(name + "attn2.to_v", 128, 8, 128L)
                    .layer(name + "ff.conv_temp", 128, 4, 128L, 3L, 1L);
        }
        return lora.layer("caption_projection.linear_1", 128, 2, 96L)
                .layer("time_embed.linear", 768, 2, 128L)
                .layer("patch_embedding", 128, 2, 16L, 1L, 2L, 2L)
                .layer("proj_out", 64, 2, 128L);
    }

    private Lora write(RandomLora lora, String name, double scale) {
        return new Lora(lora.write(folder.resolve(name + ".safetensors")), scale);
    }

    private float[] velocity(Path transformer, LoraMode mode, Lora... loras) {
        try (SanaTransformer loaded =
                        SanaTransformer.load(
                                context,
                                transformer,
                                DType.F32,
                                LayerPolicy.OF_MODEL,
                                List.of(loras),
                                mode,
                                false,
                                bytes -> {});
                Tensor in = context.tensor(DType.F32, 2, 8, 8, 16);
                Tensor out = context.tensor(DType.F32, 2, 8, 8, 16);
                Tensor caption = context.tensor(DType.F32, 7, 96)) {
            in.upload(latents);
            caption.upload(words);
            try (TransformerText text = new TransformerText(loaded, caption);
                    TransformerRun run =
                            new TransformerRun(loaded, 2, 8, 8, OptionalDouble.empty())) {
                run.velocity(in, new double[] {600}, text, out);
            }
            return out.toFloats();
        }
    }

    /** The demo transformer with other weights. */
    private Path edited(EditedTensors weights) throws IOException {
        Path copy = Files.createDirectories(folder.resolve("edited"));
        Files.copy(DEMO.resolve("config.json"), copy.resolve("config.json"));
        weights.write(copy.resolve(WEIGHTS));
        return copy;
    }

    @Test
    void bothWaysAreTheSame() {
        Lora lora = write(everywhere(1), "lora", 1);
        float[] merged = velocity(DEMO, LoraMode.MERGE, lora);
        float[] beside = velocity(DEMO, LoraMode.RUN, lora);

        assertThat(RelativeError.of(beside, merged)).isLessThan(SAME);
        assertThat(beside).as("two ways of computing").isNotEqualTo(merged);
        assertThat(RelativeError.of(merged, velocity(DEMO, LoraMode.MERGE))).isGreaterThan(OTHER);
    }

    @ParameterizedTest
    @EnumSource(LoraMode.class)
    void theSameAsWeightsEditedByHand(LoraMode mode) throws IOException {
        RandomLora lora = everywhere(2);
        EditedTensors weights = EditedTensors.read(DEMO.resolve(WEIGHTS));
        lora.addTo(weights, rank -> 0.7 * 6 / rank);
        lora.tensors().metadata("lora_adapter_metadata", "{\"lora_alpha\": 6}");

        assertThat(
                        RelativeError.of(
                                velocity(DEMO, mode, write(lora, "lora", 0.7)),
                                velocity(edited(weights), LoraMode.MERGE)))
                .isLessThan(SAME);
    }

    @ParameterizedTest
    @EnumSource(LoraMode.class)
    void severalAddUp(LoraMode mode) throws IOException {
        RandomLora first = everywhere(3);
        RandomLora second = RandomLora.ofBlock(4, 0, 2);
        EditedTensors weights = EditedTensors.read(DEMO.resolve(WEIGHTS));
        first.addTo(weights, 0.5);
        second.addTo(weights, -1.5);
        Lora one = write(first, "first", 0.5);
        Lora two = write(second, "second", -1.5);

        float[] both = velocity(DEMO, mode, one, two);

        assertThat(RelativeError.of(both, velocity(edited(weights), LoraMode.MERGE)))
                .isLessThan(SAME);
        assertThat(RelativeError.of(both, velocity(DEMO, mode, one))).isGreaterThan(OTHER);
        assertThat(RelativeError.of(both, velocity(DEMO, mode, two))).isGreaterThan(OTHER);
    }

    @ParameterizedTest
    @EnumSource(LoraMode.class)
    void scaleZeroIsNone(LoraMode mode) {
        assertThat(velocity(DEMO, mode, write(everywhere(5), "lora", 0)))
                .containsExactly(velocity(DEMO, LoraMode.MERGE));
    }

    /** A way not to fit the demo model, and what the message then says. */
    private record Misfit(String name, RandomLora lora, String... words) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Misfit> misfits() {
        String other = "may be the LoRA of another model";
        String query = BLOCK + "attn1.to_q";
        return Stream.of(
                new Misfit(
                        "a block that is not there",
                        new RandomLora(6).layer("transformer_blocks.6.attn1.to_q", 128, 4, 128L),
                        "'transformer_blocks.6.attn1.to_q'",
                        other),
                new Misfit(
                        "a layer of another network",
                        new RandomLora(6).layer("single_blocks.0.linear1", 128, 4, 128L),
                        "'single_blocks.0.linear1'",
                        other),
                new Misfit(
                        "wider inputs",
                        new RandomLora(6).layer(query, 128, 4, 2240L),
                        query + ".lora_A.weight",
                        "[4, 2240]",
                        "[4, 128]",
                        "[128, 128]",
                        other),
                new Misfit(
                        "wider outputs",
                        new RandomLora(6).layer(query, 2240, 4, 128L),
                        query + ".lora_B.weight",
                        "[2240, 4]",
                        "[128, 4]",
                        other),
                new Misfit(
                        "a convolution of another size",
                        new RandomLora(6).layer(BLOCK + "ff.conv_temp", 128, 4, 128L, 1L, 1L),
                        "[4, 128, 1, 1]",
                        "[4, 128, 3]",
                        "[128, 128, 3, 1]",
                        other),
                new Misfit(
                        "a depthwise convolution",
                        new RandomLora(6).layer(BLOCK + "ff.conv_depth", 768, 4, 1L, 3L, 3L),
                        "conv_depth",
                        "depthwise convolution"),
                new Misfit(
                        "a norm",
                        new RandomLora(6).layer(BLOCK + "attn1.norm_q", 128, 4, 128L),
                        "norm_q",
                        "a norm"));
    }

    @ParameterizedTest
    @MethodSource("misfits")
    void aLoraOfAnotherModelIsRefused(Misfit misfit) {
        Lora lora = write(misfit.lora, "other", 1);
        assertThatThrownBy(() -> velocity(DEMO, LoraMode.MERGE, lora))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("other.safetensors")
                .satisfies(e -> assertThat(e.getMessage()).contains(misfit.words));
        assertThat(context.memoryInUse()).isZero();
    }

    @ParameterizedTest
    @EnumSource(LoraMode.class)
    void numbersThatAreNoneAreRefused(LoraMode mode) {
        RandomLora lora = RandomLora.ofBlock(7, 0, 3);
        String name = "transformer." + BLOCK + "ff.conv_point.lora_B.weight";
        float[] values = lora.tensors().floats(name);
        values[9] = Float.NaN;
        lora.tensors().put(name, values, 128L, 3L, 1L, 1L);
        Lora broken = write(lora, "broken", 1);
        assertThatThrownBy(() -> velocity(DEMO, mode, broken))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(name)
                .hasMessageContaining("element 9 is NaN");
        assertThat(context.memoryInUse()).isZero();
    }

    @Test
    void sumsThatOverflowAreRefused() {
        RandomLora lora = new RandomLora(8).layer(BLOCK + "attn1.to_q", 128, 1, 128L);
        lora.tensors()
                .put("transformer." + BLOCK + "attn1.to_q.lora_A.weight", huge(128), 1L, 128L)
                .put("transformer." + BLOCK + "attn1.to_q.lora_B.weight", huge(128), 128L, 1L);
        Lora huge = write(lora, "huge", 1);
        assertThatThrownBy(() -> velocity(DEMO, LoraMode.MERGE, huge))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("'" + BLOCK + "attn1.to_q.weight'")
                .hasMessageContaining("huge.safetensors")
                .hasMessageContaining("becomes Infinity");
    }

    private static float[] huge(int count) {
        float[] values = new float[count];
        Arrays.fill(values, 1e30f);
        return values;
    }
}
