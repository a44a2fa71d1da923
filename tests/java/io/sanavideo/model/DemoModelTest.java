package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.FlowSampler;
import io.sanavideo.schedule.SchedulerConfig;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The demo model's parts, each on the reference's inputs. */
class DemoModelTest {
    private static final Path MODEL = Path.of("src/main/resources/io/sanavideo/demo");
    private static final Path GOLDEN = Path.of("tests/golden/demo");

    /** Of the golden run, as its metadata says. */
    private static final float GUIDANCE = 4;

    private static final int FRAMES = 5;
    private static final int SIDE = 8;
    private static final int CHANNELS = 16;

    private Context context;
    private GoldenTensors golden;

    @BeforeEach
    void open() {
        context = Context.cpu(0);
        golden = GoldenTensors.open(GOLDEN);
    }

    @AfterEach
    void close() {
        golden.close();
        context.close();
    }

    // These vectors hold the tables of rotations in f32; the components' vectors and the model as
    // it
    // is commonly run hold them in bf16, as this project does. That is what the f32 bounds leave
    // room for.
    @ParameterizedTest
    @CsvSource({"'', F32, 1e-4", "'', BF16, 2e-2", "negative_, F32, 1e-4", "negative_, BF16, 2e-2"})
    void encodesThePrompt(String which, DType compute, double bound) {
        float[] mask = golden.values(which + "attention_mask");
        float[] ids = GoldenTensors.keep(golden.values(which + "input_ids"), mask);
        int[] tokens = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            tokens[i] = (int) ids[i];
        }
        float[] expected = GoldenTensors.keep(golden.values(which + "prompt_embeds"), mask);
        try (Gemma2Encoder encoder =
                        Gemma2Encoder.load(context, MODEL.resolve("text_encoder"), compute);
                Tensor states = encoder.encode(tokens)) {
            assertClose("prompt_embeds", states.toFloats(), expected, bound);
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 1e-3", "BF16, 2e-2"})
    void denoisesAsTheReferenceDoes(DType compute, double bound) {
        float[] after = golden.values("latents");
        int size = FRAMES * SIDE * SIDE * CHANNELS;
        Json schedule = Json.read(MODEL.resolve("scheduler/scheduler_config.json"));
        try (SanaTransformer transformer =
                        SanaTransformer.load(context, MODEL.resolve("transformer"), compute);
                TransformerText prompt = text(transformer, "");
                TransformerText negative = text(transformer, "negative_");
                TransformerRun run =
                        new TransformerRun(
                                transformer, FRAMES, SIDE, SIDE, OptionalDouble.empty());
                FlowSampler sampler = SchedulerConfig.of(schedule).sampler(after.length / size)) {
            Tensor latents = clip();
            Tensor conditional = clip();
            Tensor unconditional = clip();
            Tensor[] branches = {conditional, unconditional};
            float[] weights = {GUIDANCE, 1 - GUIDANCE};
            latents.upload(ChannelsLast.of(golden.values("noise"), CHANNELS));
            for (int i = 0; i < sampler.steps(); i++) {
                double[] timestep = {sampler.timesteps()[i]};
                run.velocity(latents, timestep, prompt, conditional);
                run.velocity(latents, timestep, negative, unconditional);
                context.ops().combine(weights, branches, conditional);
                sampler.step(i, conditional, latents);
                float[] expected = Arrays.copyOfRange(after, i * size, (i + 1) * size);
                float[] output = ChannelsLast.toChannelsFirst(latents.toFloats(), CHANNELS);
                assertClose("latents after step " + i, output, expected, bound);
            }
        }
    }

    private TransformerText text(SanaTransformer transformer, String which) {
        float[] mask = golden.values(which + "attention_mask");
        float[] rows = GoldenTensors.keep(golden.values(which + "prompt_embeds"), mask);
        int channels = transformer.config().captionChannels();
        try (Tensor embeddings =
                context.tensor(transformer.compute(), rows.length / channels, channels)) {
            embeddings.upload(rows);
            return new TransformerText(transformer, embeddings);
        }
    }

    private Tensor clip() {
        return context.tensor(DType.F32, FRAMES, SIDE, SIDE, CHANNELS);
    }

    @ParameterizedTest
    @CsvSource({"F32, 2e-5", "BF16, 2e-2"})
    void decodesTheClip(DType compute, double bound) {
        float[] latents = golden.values("latents");
        int size = FRAMES * SIDE * SIDE * CHANNELS;
        float[] last = Arrays.copyOfRange(latents, latents.length - size, latents.length);
        try (WanVaeDecoder decoder = WanVaeDecoder.load(context, MODEL.resolve("vae"), compute)) {
            float[] pictures =
                    WholeClip.decode(decoder, ChannelsLast.of(last, CHANNELS), FRAMES, SIDE, SIDE);
            float[] output = ChannelsLast.toChannelsFirst(pictures, WanVaeConfig.COLOURS);
            assertClose("frames", output, golden.values("frames"), bound);
        }
    }

    private static void assertClose(String name, float[] output, float[] expected, double bound) {
        Comparison comparison = Comparison.of(name, output, expected);
        assertThat(comparison.relativeL2()).as(comparison.toString()).isLessThan(bound);
    }
}
