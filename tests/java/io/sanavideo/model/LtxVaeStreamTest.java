package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LtxVaeStreamTest {
    private static final Path CAUSAL = Path.of("tests/golden/ltx2-vae");
    private static final Path AHEAD = Path.of("tests/golden/ltx2-vae-noncausal-decoder");
    private static final int CHANNELS = 16;
    private static final long SEED = 11;

    /** Streams and whole clips add up the same numbers in the same order, but not in one call. */
    private static final double SAME = 1e-6;

    @TempDir Path folder;

    /**
     * A model whose latents are scaled, of one of the two golden ones, with an edit of its config.
     */
    private Path model(Path golden, String text, String replacement) throws IOException {
        float[] means = new float[CHANNELS];
        float[] deviations = new float[CHANNELS];
        for (int i = 0; i < CHANNELS; i++) {
            means[i] = 0.25f * i - 1;
            deviations[i] = 0.5f + 0.125f * i;
        }
        return ModelFolder.of(golden)
                .put("latents_mean", means, (long) CHANNELS)
                .put("latents_std", deviations, (long) CHANNELS)
                .config(text, replacement)
                .write(folder);
    }

    private Path decoderModel(boolean causal) throws IOException {
        return model(causal ? CAUSAL : AHEAD, "\"decoder_causal\": ", "\"decoder_causal\": ");
    }

    private Path encoderModel(boolean causal) throws IOException {
        return model(CAUSAL, "\"encoder_causal\": true", "\"encoder_causal\": " + causal);
    }

    @ParameterizedTest
    @CsvSource({
        "true, 1",
        "true, 2",
        "true, 3",
        "true, 5",
        "false, 1",
        "false, 2",
        "false, 3",
        "false, 7"
    })
    void decodesAsTheWholeClip(boolean causal, int frames) throws IOException {
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder =
                        LtxVaeDecoder.load(context, decoderModel(causal), DType.F32)) {
            float[] latents = random(frames * 2 * 3 * CHANNELS, new Random(SEED));
            float[] streamed = WholeClip.decode(decoder, latents, frames, 2, 3);
            float[] whole = LtxWholeClip.decode(decoder, latents, frames, 2, 3);
            assertThat(streamed).hasSize(((frames - 1) * 8 + 1) * 64 * 96 * 3);
            assertSame(streamed, whole);
        }
    }

    @ParameterizedTest
    @CsvSource({"true, 1", "true, 9", "true, 25", "false, 1", "false, 9", "false, 33"})
    void encodesAsTheWholeClip(boolean causal, int pictures) throws IOException {
        try (Context context = Context.cpu(0);
                LtxVaeEncoder encoder =
                        LtxVaeEncoder.load(context, encoderModel(causal), DType.F32)) {
            float[] video = random(pictures * 64 * 32 * 3, new Random(SEED));
            float[] streamed = WholeClip.encode(encoder, video, 64, 32);
            float[] whole = LtxWholeClip.encode(encoder, video, 64, 32);
            for (int i = 0; i < whole.length; i++) {
                double mean = encoder.latentMean[i % CHANNELS];
                whole[i] = (float) ((whole[i] - mean) / encoder.latentDeviation[i % CHANNELS]);
            }
            assertThat(streamed).hasSize(((pictures - 1) / 8 + 1) * 2 * CHANNELS);
            assertSame(streamed, whole);
        }
    }

    /**
     * A stream that recalls as many frames as it looks back goes on exactly as one that has decoded
     * all of the clip; one frame less is too few.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void goesOnFromWhatItRecalls(boolean causal) throws IOException {
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder =
                        LtxVaeDecoder.load(context, decoderModel(causal), DType.F32)) {
            RecalledStream clip = RecalledStream.of(decoder, 2, 2, CHANNELS, SEED);
            assertThat(clip.reach()).isGreaterThan(5);
            assertThat(clip.after(clip.reach())).isEqualTo(clip.expected());
            assertThat(clip.after(clip.reach() + 1)).isEqualTo(clip.expected());
            assertThat(clip.after(clip.reach() - 1)).isNotEqualTo(clip.expected());
            assertThat(clip.afterAll()).isEqualTo(clip.expected());
        }
    }

    private static void assertSame(float[] streamed, float[] whole) {
        assertThat(Comparison.of("clip", streamed, whole).relativeL2()).isLessThanOrEqualTo(SAME);
    }

    /** Clips of 17, 81 and 321 pictures take the same memory at their peak. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void memoryDoesNotGrowWithTheClip(boolean causal) throws IOException {
        List<Long> peaks = new ArrayList<>();
        Path model = decoderModel(causal);
        for (int frames : new int[] {3, 11, 41}) {
            try (Context context = Context.cpu(1);
                    LtxVaeDecoder decoder = LtxVaeDecoder.load(context, model, DType.F32);
                    LtxVaeStream stream = decoder.stream(2, 2);
                    Tensor latent = context.tensor(DType.F32, 1, 2, 2, CHANNELS)) {
                latent.upload(random(2 * 2 * CHANNELS, new Random(SEED)));
                int[] pictures = new int[1];
                long[] inUse = new long[2];
                for (int i = 0; i < frames; i++) {
                    stream.decode(latent, picture -> pictures[0]++);
                    inUse[i == 0 ? 0 : 1] = context.memoryInUse();
                }
                stream.finish(picture -> pictures[0]++);
                assertThat(pictures[0]).isEqualTo((frames - 1) * 8 + 1);
                assertThat(context.memoryInUse()).isEqualTo(inUse[1]);
                peaks.add(context.memoryPeak());
            }
        }
        assertThat(peaks).containsOnly(peaks.get(0));
    }

    @Test
    void encodersMemoryDoesNotGrowWithTheClip() throws IOException {
        List<Long> peaks = new ArrayList<>();
        Path model = encoderModel(false);
        for (int pictures : new int[] {17, 81, 321}) {
            try (Context context = Context.cpu(1);
                    LtxVaeEncoder encoder = LtxVaeEncoder.load(context, model, DType.BF16);
                    LtxVaeEncodingStream stream = encoder.stream(32, 32);
                    Tensor picture = context.tensor(DType.BF16, 32, 32, 3)) {
                picture.clear();
                int[] latents = new int[1];
                for (int i = 0; i < pictures; i++) {
                    stream.encode(picture, latent -> latents[0]++);
                }
                stream.finish(latent -> latents[0]++);
                assertThat(latents[0]).isEqualTo((pictures - 1) / 8 + 1);
                peaks.add(context.memoryPeak());
            }
        }
        assertThat(peaks).containsOnly(peaks.get(0));
    }

    /** What a frame looks like depends on later ones where the decoder looks ahead, else not. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void looksAheadUnlessCausal(boolean causal) throws IOException {
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder =
                        LtxVaeDecoder.load(context, decoderModel(causal), DType.F32)) {
            Random random = new Random(SEED);
            int size = 2 * 2 * CHANNELS;
            float[] clip = random(3 * size, random);
            float[] changed = clip.clone();
            System.arraycopy(random(size, random), 0, changed, 2 * size, size);
            int before = 9 * 64 * 64 * 3;
            float[] pictures = WholeClip.decode(decoder, clip, 3, 2, 2);
            float[] others = WholeClip.decode(decoder, changed, 3, 2, 2);
            assertThat(others).isNotEqualTo(pictures);
            assertThat(Arrays.equals(pictures, 0, before, others, 0, before)).isEqualTo(causal);
        }
    }

    /** A causal decoder hands pictures on at once, another one when it has seen what follows. */
    @Test
    void handsPicturesOnAsSoonAsItCan() {
        assertThat(handedOn(true, 4)).containsExactly(1, 8, 8, 8, 0);
        // Each convolution waits for a frame: behind 8 latent frames come the 4 that the first
        // doubling of frames does not wait for, as 7; 4 of these, as 7 again; and so on.
        assertThat(handedOn(false, 8)).containsExactly(0, 0, 0, 0, 0, 0, 0, 4, 53);
    }

    /** Pictures that come out with each latent frame, and at the end. */
    private static List<Integer> handedOn(boolean causal, int frames) {
        List<Integer> counts = new ArrayList<>();
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder =
                        LtxVaeDecoder.load(context, causal ? CAUSAL : AHEAD, DType.F32);
                LtxVaeStream stream = decoder.stream(2, 2);
                Tensor latent = context.tensor(DType.F32, 1, 2, 2, CHANNELS)) {
            latent.clear();
            int[] pictures = new int[1];
            for (int i = 0; i < frames; i++) {
                stream.decode(latent, picture -> pictures[0]++);
                counts.add(pictures[0]);
                pictures[0] = 0;
            }
            stream.finish(picture -> pictures[0]++);
            counts.add(pictures[0]);
        }
        return counts;
    }

    @Test
    void anEmptyClipHasNoPictures() {
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder = LtxVaeDecoder.load(context, AHEAD, DType.F32);
                LtxVaeStream stream = decoder.stream(2, 2)) {
            stream.finish(picture -> assertThat(picture).isNull());
        }
    }

    @Test
    void refusesFramesBehindTheEnd() {
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder = LtxVaeDecoder.load(context, AHEAD, DType.F32);
                LtxVaeStream stream = decoder.stream(2, 2);
                Tensor latent = context.tensor(DType.F32, 1, 2, 2, CHANNELS)) {
            stream.finish(picture -> {});
            assertThatThrownBy(() -> stream.decode(latent, picture -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("has ended");
        }
    }

    @Test
    void refusesLatentsTooSmallToBeMirrored() {
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder = LtxVaeDecoder.load(context, AHEAD, DType.F32)) {
            long inUse = context.memoryInUse();
            assertThatThrownBy(() -> decoder.stream(1, 3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("96x32")
                    .hasMessageContaining("at least 64 a side");
            assertThat(context.memoryInUse()).isEqualTo(inUse);
        }
    }

    @Test
    void refusesPicturesThatMakeNoLatents() {
        try (Context context = Context.cpu(0);
                LtxVaeEncoder encoder = LtxVaeEncoder.load(context, CAUSAL, DType.F32);
                Tensor picture = context.tensor(DType.F32, 32, 32, 3)) {
            assertThatThrownBy(() -> encoder.stream(32, 48))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("width is 48 pixels")
                    .hasMessageContaining("a multiple of 32");
            picture.clear();
            try (LtxVaeEncodingStream stream = encoder.stream(32, 32)) {
                stream.encode(picture, latent -> {});
                stream.encode(picture, latent -> {});
                assertThatThrownBy(() -> stream.finish(latent -> {}))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("the clip ended after 2 pictures")
                        .hasMessageContaining("1 + 8 * k");
            }
        }
    }

    @Test
    void refusesDeviationsThatCannotBeDividedBy() throws IOException {
        Path model =
                ModelFolder.of(CAUSAL)
                        .put("latents_std", new float[CHANNELS], (long) CHANNELS)
                        .write(folder);
        try (Context context = Context.cpu(0)) {
            assertThatThrownBy(() -> LtxVaeEncoder.load(context, model, DType.F32))
                    .isInstanceOf(io.sanavideo.ModelFormatException.class)
                    .hasMessageContaining("latents_std")
                    .hasMessageContaining("numbers above 0");
            assertThat(context.memoryInUse()).isZero();
        }
    }

    private static float[] random(int count, Random random) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
