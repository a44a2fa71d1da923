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
        encoder = WanVaeEncoder.load(context, GOLDEN, DType.F32);
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
            float[] latents = WholeClip.encode(encoder, clip, shape[3], shape[4]);
            assertThat(RelativeError.of(latents, expected(golden))).isLessThan(2e-5);
        }
    }

    /** Two latent frames of small pictures: an emulated card takes its time. */
    @Tag("gpu")
    @Test
    void aCardEncodesAsTheCpuDoes() {
        float[] clip = clip(5, 8 * 16 * 3);
        float[] expected = WholeClip.encode(encoder, clip, 8, 16);
        for (DType compute : List.of(DType.F32, DType.BF16)) {
            try (Context card = Context.on(Device.cuda(0));
                    WanVaeEncoder there = WanVaeEncoder.load(card, GOLDEN, compute)) {
                assertThat(RelativeError.of(WholeClip.encode(there, clip, 8, 16), expected))
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

    @Test
    void aStreamIsForOneClip() {
        try (WanEncodingStream stream = encoder.stream(HEIGHT, WIDTH);
                Tensor picture = picture()) {
            stream.encode(picture, latent -> {});
            stream.finish(latent -> {});
            assertThatThrownBy(() -> stream.encode(picture, latent -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("open a stream for the next");
        }
    }

    /** A latent frame does not depend on the pictures after its own. */
    @Test
    void isCausal() {
        float[] clip = clip(9);
        float[] changed = clip.clone();
        System.arraycopy(clip(4), 0, changed, 5 * PICTURE, 4 * PICTURE);
        float[] latents = WholeClip.encode(encoder, clip, HEIGHT, WIDTH);
        float[] others = WholeClip.encode(encoder, changed, HEIGHT, WIDTH);
        int known = 2 * HEIGHT / 8 * WIDTH / 8 * CHANNELS;
        assertThat(Arrays.copyOf(others, known)).isEqualTo(Arrays.copyOf(latents, known));
        assertThat(others).isNotEqualTo(latents);
    }

    @Test
    void memoryDoesNotGrowWithTheClip() {
        List<Long> peaks = new ArrayList<>();
        for (int pictures : new int[] {17, 81, 321}) {
            try (Context own = Context.cpu(0);
                    WanVaeEncoder there = WanVaeEncoder.load(own, GOLDEN, DType.F32);
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
        for (int extra = 0; extra < 4; extra++) {
            try (WanEncodingStream stream = encoder.stream(HEIGHT, WIDTH);
                    Tensor picture = picture()) {
                for (int i = 0; i < 5 + extra; i++) {
                    stream.encode(picture, latent -> {});
                }
                if (extra == 0) {
                    stream.finish(latent -> {});
                } else {
                    assertThatThrownBy(() -> stream.finish(latent -> {}))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("%d pictures", 5 + extra)
                            .hasMessageContaining("1 + 4 * k")
                            .hasMessageContaining("last %d", extra);
                }
            }
        }
    }

    @Test
    void refusesSizesItCannotEncode() {
        assertThatThrownBy(() -> encoder.stream(20, 24))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("height is 20 pixels, expected a multiple of 8");
        assertThatThrownBy(() -> encoder.stream(16, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("width is 0 pixels, expected a multiple of 8");
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
