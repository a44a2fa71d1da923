package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WanVaeStreamTest {
    private static final Path GOLDEN = Path.of("tests/golden/wan-vae");
    private static final long SEED = 11;

    @Test
    void memoryDoesNotGrowWithTheClip() {
        try (Context context = Context.cpu(0);
                WanVaeDecoder decoder = WanVaeDecoder.load(context, GOLDEN, DType.F32);
                WanVaeStream stream = new WanVaeStream(decoder, 4, 6);
                Tensor latent = context.tensor(DType.F32, 1, 4, 6, 16)) {
            latent.upload(random(4 * 6 * 16, new Random(SEED)));
            List<long[]> shapes = new ArrayList<>();
            stream.decode(latent, picture -> shapes.add(picture.shape()));
            assertThat(shapes).hasSize(1);
            long inUse = context.memoryInUse();
            for (int i = 0; i < 4; i++) {
                stream.decode(latent, picture -> shapes.add(picture.shape()));
            }
            assertThat(shapes).hasSize(17).containsOnly(new long[] {32, 48, 3});
            assertThat(context.memoryInUse()).isEqualTo(inUse);
        }
    }

    /** What a frame looks like does not depend on those after it. */
    @Test
    void isCausal() {
        try (Context context = Context.cpu(0);
                WanVaeDecoder decoder = WanVaeDecoder.load(context, GOLDEN, DType.F32)) {
            Random random = new Random(SEED);
            int size = 2 * 2 * 16;
            float[] clip = random(3 * size, random);
            float[] changed = clip.clone();
            System.arraycopy(random(size, random), 0, changed, 2 * size, size);
            float[] pictures = WholeClip.decode(decoder, clip, 3, 2, 2);
            float[] others = WholeClip.decode(decoder, changed, 3, 2, 2);
            int picture = 16 * 16 * 3;
            assertThat(pictures).hasSize(9 * picture);
            for (int i = 0; i < 5 * picture; i++) {
                assertThat(others[i]).isEqualTo(pictures[i]);
            }
            assertThat(others).isNotEqualTo(pictures);
        }
    }

    /**
     * A stream that recalls as many frames as it looks back goes on exactly as one that has decoded
     * all of the clip; one frame less is too few.
     */
    @Test
    void goesOnFromWhatItRecalls() {
        try (Context context = Context.cpu(0);
                WanVaeDecoder decoder = WanVaeDecoder.load(context, GOLDEN, DType.F32)) {
            RecalledStream clip = RecalledStream.of(decoder, 2, 2, 16, SEED);
            assertThat(clip.reach()).isGreaterThan(20);
            assertThat(clip.after(clip.reach())).isEqualTo(clip.expected());
            assertThat(clip.after(clip.reach() + 1)).isEqualTo(clip.expected());
            assertThat(clip.after(clip.reach() - 1)).isNotEqualTo(clip.expected());
            assertThat(clip.afterAll()).isEqualTo(clip.expected());
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
