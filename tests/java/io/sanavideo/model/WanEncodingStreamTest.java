package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Device;
import io.sanavideo.RelativeError;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class WanEncodingStreamTest {
    private static final Path GOLDEN = Path.of("tests/golden/wan-vae");
    private static final int CHANNELS = 16;
    private static final int HEIGHT = 16;
    private static final int WIDTH = 24;
    private static final int PICTURE = HEIGHT * WIDTH * 3;

    private final Random random = new Random(13);
    private Context context;
    private WanVaeEncoder encoder;

    @BeforeEach
    void load() {
        context = Context.cpu(0);
        encoder = WanVaeEncoder.load(context, GOLDEN, DType.F32, bytes -> {});
    }

    @AfterEach
    void close() {
        encoder.close();
        assertThat(context.memoryInUse()).as("bytes after closing").isZero();
        context.close();
    }

    /** Streamed picture by picture, what the reference makes of groups of four. */
    @Test
    void equalsTheReferenceNormalised() {
        try (GoldenTensors golden = GoldenTensors.open(GOLDEN)) {
            int[] shape = golden.shape("video", 5);
            float[] clip = ChannelsLast.of(golden.sample("video", 0), 3);
            float[] latents = encode(encoder, clip, shape[3], shape[4]);
            assertThat(RelativeError.of(latents, expected(golden))).isLessThan(2e-5);
        }
    }

    /** Two latent frames of small pictures: an emulated card takes its time. */
    @Tag("gpu")
    @Test
    void aCardEncodesAsTheCpuDoes() {
        float[] clip = clip(5, 8 * 16 * 3);
        float[] expected = encode(encoder, clip, 8, 16);
        for (DType compute : List.of(DType.F32, DType.BF16)) {
            try (Context card = Context.on(Device.cuda(0));
                    WanVaeEncoder there = WanVaeEncoder.load(card, GOLDEN, compute, bytes -> {})) {
                assertThat(RelativeError.of(encode(there, clip, 8, 16), expected))
                        .as("on the card in %s", compute)
                        .isLessThan(compute == DType.F32 ? 1e-5 : 2e-2);
            }
        }
    }

    /** A latent frame comes with the first picture, then with the last of every four. */
    @Test
    void latentsComeAsSoonAsTheyCan() {
        List<Integer> counts = new ArrayList<>();
        List<float[]> latents = new ArrayList<>();
        try (WanEncodingStream stream = encoder.stream(HEIGHT, WIDTH);
                Tensor picture = picture()) {
            for (int i = 0; i < 9; i++) {
                stream.encode(picture, latent -> latents.add(latent.toFloats()));
                counts.add(latents.size());
            }
            stream.finish(latent -> latents.add(latent.toFloats()));
        }
        assertThat(counts).containsExactly(1, 1, 1, 1, 2, 2, 2, 2, 3);
        assertThat(latents).hasSize(3);
    }

    /** The second clip of a stream is what it is in a stream of its own, whatever came before. */
    @Test
    void clipsDoNotMix() {
        float[] first = clip(5);
        float[] second = clip(9);
        float[] expected = encode(encoder, second, HEIGHT, WIDTH);
        try (WanEncodingStream shared = encoder.stream(HEIGHT, WIDTH)) {
            encode(shared, first);
            assertThat(encode(shared, second)).isEqualTo(expected);
            assertThatThrownBy(() -> encode(shared, clip(7)))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(encode(shared, second)).as("after a broken clip").isEqualTo(expected);
        }
    }

    /** A latent frame does not depend on the pictures after its own. */
    @Test
    void isCausal() {
        float[] clip = clip(9);
        float[] changed = clip.clone();
        System.arraycopy(clip(4), 0, changed, 5 * PICTURE, 4 * PICTURE);
        try (WanEncodingStream stream = encoder.stream(HEIGHT, WIDTH)) {
            float[] latents = encode(stream, clip);
            float[] others = encode(stream, changed);
            int known = 2 * HEIGHT / 8 * WIDTH / 8 * CHANNELS;
            assertThat(Arrays.copyOf(others, known)).isEqualTo(Arrays.copyOf(latents, known));
            assertThat(others).isNotEqualTo(latents);
        }
    }

    @Test
    void memoryDoesNotGrowWithTheClip() {
        List<Long> peaks = new ArrayList<>();
        for (int pictures : new int[] {17, 81, 321}) {
            try (Context own = Context.cpu(0);
                    WanVaeEncoder there = WanVaeEncoder.load(own, GOLDEN, DType.F32, bytes -> {});
                    WanEncodingStream stream = there.stream(8, 8);
                    Tensor picture = own.tensor(DType.F32, 8, 8, 3)) {
                picture.upload(clip(1, 8 * 8 * 3));
                int[] latents = {0};
                long inUse = 0;
                for (int i = 0; i < pictures; i++) {
                    stream.encode(picture, latent -> latents[0]++);
                    if (i == 4) {
                        inUse = own.memoryInUse();
                    }
                }
                stream.finish(latent -> latents[0]++);
                assertThat(latents[0]).isEqualTo(1 + (pictures - 1) / 4);
                assertThat(own.memoryInUse()).as("after more than 5 pictures").isEqualTo(inUse);
                peaks.add(own.memoryPeak());
            }
        }
        assertThat(peaks).containsOnly(peaks.get(0));
    }

    @Test
    void refusesAClipThatEndsInsideAGroup() {
        try (WanEncodingStream stream = encoder.stream(HEIGHT, WIDTH);
                Tensor picture = picture()) {
            stream.finish(latent -> {});
            for (int extra = 1; extra < 4; extra++) {
                for (int i = 0; i < 5 + extra; i++) {
                    stream.encode(picture, latent -> {});
                }
                assertThatThrownBy(() -> stream.finish(latent -> {}))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("%d pictures", 5 + extra)
                        .hasMessageContaining("1 + 4 * k")
                        .hasMessageContaining("last %d", extra);
            }
        }
    }

    @Test
    void refusesSizesItCannotEncode() {
        assertThatThrownBy(() -> encoder.stream(20, 24))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("height is 20, expected a multiple of 8");
        assertThatThrownBy(() -> encoder.stream(16, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("width is 0, expected a multiple of 8");
        try (WanEncodingStream stream = encoder.stream(HEIGHT, WIDTH);
                Tensor turned = context.tensor(DType.F32, WIDTH, HEIGHT, 3);
                Tensor rounded = context.tensor(DType.BF16, HEIGHT, WIDTH, 3)) {
            assertThatThrownBy(() -> stream.encode(turned, latent -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the picture is Tensor[F32 [24, 16, 3]]")
                    .hasMessageContaining("expected Tensor[F32 [16, 24, 3]]");
            assertThatThrownBy(() -> stream.encode(rounded, latent -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("BF16");
        }
    }

    private Tensor picture() {
        Tensor picture = context.tensor(DType.F32, HEIGHT, WIDTH, 3);
        picture.upload(clip(1));
        return picture;
    }

    private float[] clip(int pictures) {
        return clip(pictures, PICTURE);
    }

    private float[] clip(int pictures, int size) {
        float[] values = new float[pictures * size];
        for (int i = 0; i < values.length; i++) {
            values[i] = 2 * random.nextFloat() - 1;
        }
        return values;
    }

    private float[] encode(WanEncodingStream stream, float[] clip) {
        try (Tensor picture = context.tensor(DType.F32, HEIGHT, WIDTH, 3)) {
            return encode(stream, picture, clip);
        }
    }

    private static float[] encode(WanEncodingStream stream, Tensor picture, float[] clip) {
        List<float[]> latents = new ArrayList<>();
        int size = (int) picture.elements();
        for (int i = 0; i < clip.length / size; i++) {
            picture.upload(Arrays.copyOfRange(clip, i * size, (i + 1) * size));
            stream.encode(picture, latent -> latents.add(latent.toFloats()));
        }
        stream.finish(latent -> latents.add(latent.toFloats()));
        return GoldenTensors.concatenate(latents);
    }

    /** A clip in a stream of its own. */
    private static float[] encode(WanVaeEncoder encoder, float[] clip, int height, int width) {
        try (WanEncodingStream stream = encoder.stream(height, width);
                Tensor picture = encoder.context().tensor(encoder.compute(), height, width, 3)) {
            return encode(stream, picture, clip);
        }
    }

    /** Normalised means of the reference, [frames, height, width, channels]. */
    private float[] expected(GoldenTensors golden) {
        float[] mean = ChannelsLast.of(golden.sample("latent_mean", 0), CHANNELS);
        WanVaeConfig config = encoder.config();
        for (int i = 0; i < mean.length; i++) {
            int channel = i % CHANNELS;
            mean[i] -= config.latentMean()[channel];
            mean[i] /= config.latentDeviation()[channel];
        }
        return mean;
    }
}
