package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.model.ChannelsLast;
import io.sanavideo.schedule.TorchRandom;
import io.sanavideo.weights.SafetensorsFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The whole pipeline in f32, against the demo model's run in PyTorch. */
class DemoGoldenTest {
    private static final Path GOLDEN = Path.of("tests/golden/demo/golden.safetensors");
    private static final int CHANNELS = 16;
    private static final double LATENT_BOUND = 1e-3;
    private static final double PSNR_BOUND = 45;

    private static SafetensorsFile golden;
    private static SanaVideo sana;

    @BeforeAll
    static void open() {
        golden = SafetensorsFile.open(GOLDEN);
        sana =
                SanaVideo.open(
                        SanaVideo.demoModel(), Device.cpu(), Precision.F32, ProgressListener.NONE);
    }

    @AfterAll
    static void close() {
        sana.close();
        golden.close();
    }

    @Test
    void noiseOfTheSeedIsTheReferences() {
        float[] expected = golden.tensor("noise").toFloats();
        float[] drawn = TorchRandom.randn(seed(), expected.length);

        // PyTorch's vectorised logarithm and cosine differ from Java's in the last place.
        assertThat(RelativeError.of(drawn, expected)).isLessThan(1e-6);
    }

    @Test
    void seedLeadsToTheReferencesLatentsAndFrames() {
        assertIsGolden(request().seed(seed()));
    }

    @Test
    void initialLatentsLeadThereToo() {
        float[] noise = golden.tensor("noise").toFloats();
        Latents initial = new Latents(5, 8, 8, CHANNELS, ChannelsLast.of(noise, CHANNELS));

        assertIsGolden(request().initialLatents(initial));
    }

    @Test
    void anotherSeedLeadsElsewhere() {
        Clip clip = sana.generate(request().seed(seed() + 1).build());

        assertThat(RelativeError.of(clip.latents().values(), goldenLatents()))
                .isGreaterThan(100 * LATENT_BOUND);
    }

    private static void assertIsGolden(TextToVideo.Builder request) {
        Clip clip = sana.generate(request.build());

        assertThat(clip.format()).isEqualTo(new ClipFormat(64, 64, 17, 8));
        assertThat(RelativeError.of(clip.latents().values(), goldenLatents()))
                .isLessThan(LATENT_BOUND);
        CollectedFrames frames = new CollectedFrames();
        clip.decode(frames, ProgressListener.NONE);
        assertThat(psnr(frames.rgb(), goldenFrames())).isGreaterThan(PSNR_BOUND);
    }

    /** Prompt and settings of the golden run, as the file's metadata says. */
    private static TextToVideo.Builder request() {
        Map<String, String> settings = golden.metadata();
        return TextToVideo.prompt(settings.get("prompt"))
                .negativePrompt(settings.get("negative_prompt"))
                .steps(Integer.parseInt(settings.get("steps")))
                .guidance(Double.parseDouble(settings.get("guidance_scale")))
                .flowShift(Double.parseDouble(settings.get("flow_shift")));
    }

    private static long seed() {
        return Long.parseLong(golden.metadata().get("seed"));
    }

    /** After the last step, [frames, height, width, channels]. */
    private static float[] goldenLatents() {
        float[] steps = golden.tensor("latents").toFloats();
        int size = steps.length / 20;
        float[] last = Arrays.copyOfRange(steps, steps.length - size, steps.length);
        return ChannelsLast.of(last, CHANNELS);
    }

    /** From [3, frames, height, width] in [-1, 1] to packed RGB24. */
    private static byte[] goldenFrames() {
        float[] pixels = ChannelsLast.of(golden.tensor("frames").toFloats(), 3);
        byte[] rgb = new byte[pixels.length];
        for (int i = 0; i < rgb.length; i++) {
            float unit = Math.max(0, Math.min(1, (pixels[i] + 1) / 2));
            rgb[i] = (byte) Math.round(unit * 255);
        }
        return rgb;
    }

    /** Peak signal to noise ratio in dB over 8-bit samples, whose peak is 255. */
    private static double psnr(byte[] frames, byte[] expected) {
        assertThat(frames).hasSameSizeAs(expected);
        double error =
                IntStream.range(0, frames.length)
                        .mapToDouble(i -> Math.pow((frames[i] & 255) - (expected[i] & 255), 2))
                        .average()
                        .orElseThrow();
        return 10 * Math.log10(255 * 255 / error);
    }
}
