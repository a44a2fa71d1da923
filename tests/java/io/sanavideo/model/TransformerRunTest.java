package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TransformerRunTest {
    private static final Path GOLDEN = Path.of("tests/golden");
    private static final Path TWO_LAYERS = GOLDEN.resolve("transformer-head32-per-token-timestep");
    private static final OptionalDouble NO_GUIDANCE = OptionalDouble.empty();
    private static final long SEED = 5;

    @TempDir Path folder;

    private final Context context = Context.cpu(0);
    private final Random random = new Random(SEED);

    @AfterEach
    void close() {
        context.close();
    }

    private Tensor random(long... shape) {
        Tensor tensor = context.tensor(DType.F32, shape);
        float[] values = new float[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        tensor.upload(values);
        return tensor;
    }

    private float[] velocity(
            SanaTransformer transformer, Tensor latents, Tensor words, double... timesteps) {
        Tensor out = context.tensor(DType.F32, latents.shape());
        int[] size = Arrays.stream(latents.shape()).mapToInt(Math::toIntExact).toArray();
        try (TransformerText text = new TransformerText(transformer, words);
                TransformerRun run =
                        new TransformerRun(transformer, size[0], size[1], size[2], NO_GUIDANCE)) {
            run.velocity(latents, timesteps, text, out);
        }
        return out.toFloats();
    }

    /** However timesteps that are all the same are given, and however many frames go together. */
    @Test
    void timestepsMayBeGivenForAllForAFrameOrForAToken() {
        try (SanaTransformer transformer = SanaTransformer.load(context, TWO_LAYERS, DType.F32)) {
            Tensor latents = random(3, 4, 6, 16);
            Tensor words = random(5, 96);
            float[] one = velocity(transformer, latents, words, 700);
            double[] frames = new double[3];
            double[] tokens = new double[18];
            Arrays.fill(frames, 700);
            Arrays.fill(tokens, 700);
            assertThat(velocity(transformer, latents, words, frames)).containsExactly(one);
            assertThat(velocity(transformer, latents, words, tokens)).containsExactly(one);
            frames[0] = 0;
            assertThat(velocity(transformer, latents, words, frames)).isNotEqualTo(one);
            assertThatThrownBy(() -> velocity(transformer, latents, words, 1, 2, 3, 4))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("4 timesteps")
                    .hasMessageContaining("18 tokens");
        }
    }

    /** 1,152 tokens a frame: every frame is a group; 8 frames of 4: one group; and in between. */
    @Test
    void framesPassTheFeedForwardInGroups() {
        TransformerConfig config;
        try (SanaTransformer transformer = SanaTransformer.load(context, TWO_LAYERS, DType.F32)) {
            config = transformer.config();
        }
        assertThat(groups(config, 3, 64, 72)).containsExactly(1, 1, 1);
        assertThat(groups(config, 8, 4, 4)).containsExactly(8);
        assertThat(groups(config, 5, 32, 56)).containsExactly(3, 2);
    }

    private long[] groups(TransformerConfig config, int frames, int height, int width) {
        TokenGrid grid = TokenGrid.of(config, frames, height, width);
        try (Activations buffers = new Activations(context, config, DType.F32, grid, false)) {
            return buffers.groups.stream()
                    .mapToLong(group -> group.gatedFrames().size(0))
                    .toArray();
        }
    }

    /** A first clip alone equals the same clip computed after another one. */
    @Test
    void runsLeaveNothingBehind() {
        try (SanaTransformer transformer = SanaTransformer.load(context, TWO_LAYERS, DType.F32);
                TransformerText text = new TransformerText(transformer, random(5, 96));
                TransformerRun run = new TransformerRun(transformer, 5, 32, 56, NO_GUIDANCE)) {
            Tensor latents = random(5, 32, 56, 16);
            Tensor other = random(5, 32, 56, 16);
            Tensor out = context.tensor(DType.F32, latents.shape());
            run.velocity(latents, new double[] {500}, text, out);
            float[] alone = out.toFloats();
            long inUse = context.memoryInUse();
            run.velocity(other, new double[] {20}, text, out);
            run.velocity(latents, new double[] {500}, text, out);
            assertThat(out.toFloats()).containsExactly(alone);
            assertThat(context.memoryInUse()).isEqualTo(inUse);
        }
    }

    @Test
    void refusesSizesItCannotDo() {
        try (SanaTransformer transformer = SanaTransformer.load(context, TWO_LAYERS, DType.F32)) {
            assertThatThrownBy(() -> new TransformerRun(transformer, 2, 7, 6, NO_GUIDANCE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("height is 7")
                    .hasMessageContaining("multiple of 2");
            assertThatThrownBy(() -> new TransformerRun(transformer, 1025, 2, 2, NO_GUIDANCE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("frames is 1025")
                    .hasMessageContaining("up to 1024");
            assertThatThrownBy(() -> new TransformerRun(transformer, 1, 2, 2, OptionalDouble.of(4)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("guidance_embeds is false");
        }
        try (SanaTransformer transformer =
                SanaTransformer.load(context, GOLDEN.resolve("transformer-guidance"), DType.F32)) {
            assertThatThrownBy(() -> new TransformerRun(transformer, 1, 2, 2, NO_GUIDANCE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected a value");
        }
    }

    /** A bias of the values' projection moves attention's output as one of the output's would. */
    @Test
    void readsAttentionBiases() throws IOException {
        int width = 128;
        ModelFolder biased = ModelFolder.of(TWO_LAYERS);
        biased.config("\"attention_bias\": false", "\"attention_bias\": true");
        for (int block = 0; block < 2; block++) {
            for (String name : new String[] {"to_q", "to_k", "to_v"}) {
                biased.put(
                        "transformer_blocks.%d.attn1.%s.bias".formatted(block, name),
                        new float[width],
                        (long) width);
            }
        }
        biased.write(folder);
        TransformerCheck check = new TransformerCheck();
        assertThat(check.run(context, folder, DType.F32, false, output -> true).get(0).relativeL2())
                .isLessThan(2e-5);
    }

    @Test
    void refusesMissingTensors() throws IOException {
        ModelFolder.of(TWO_LAYERS).remove("transformer_blocks.1.ff.conv_temp.weight").write(folder);
        assertThatThrownBy(() -> SanaTransformer.load(context, folder, DType.F32))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("transformer_blocks.1.ff.conv_temp.weight");
        assertThat(context.memoryInUse()).isZero();
    }
}
