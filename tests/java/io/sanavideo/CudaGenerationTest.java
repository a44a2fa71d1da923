package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The demo model on a card, or its emulator, against the CPU. */
@Tag("gpu")
class CudaGenerationTest {
    private static TextToVideo request(int frames, int steps) {
        return TextToVideo.prompt("a blue square growing on a white background")
                .frames(frames)
                .steps(steps)
                .seed(5)
                .build();
    }

    private static float[] latents(Device device, Precision precision) {
        try (SanaVideo sana =
                SanaVideo.open(SanaVideo.demoModel(), device, precision, ProgressListener.NONE)) {
            return sana.generate(request(5, 2)).latents().values();
        }
    }

    @Test
    void latentsInF32AreTheCpus() {
        float[] expected = latents(Device.cpu(), Precision.F32);

        assertThat(RelativeError.of(latents(Device.cuda(0), Precision.F32), expected))
                .isPositive()
                .isLessThan(1e-4);
    }

    /** So few steps of so small a model enlarge each rounding: the CPU's bf16 is the measure. */
    @Test
    void latentsInBf16AreAsGoodAsTheCpus() {
        float[] exact = latents(Device.cpu(), Precision.F32);
        double ofTheCpu = RelativeError.of(latents(Device.cpu(), Precision.BF16), exact);

        assertThat(RelativeError.of(latents(Device.cuda(0), Precision.BF16), exact))
                .isPositive()
                .isLessThan(1.5 * ofTheCpu);
    }

    @Test
    void sameRequestTwiceMakesTheSameFrames() {
        TextToVideo request = request(1, 2);
        try (SanaVideo sana = SanaVideo.open(SanaVideo.demoModel(), Device.cuda(0))) {
            CollectedFrames first = new CollectedFrames();
            CollectedFrames second = new CollectedFrames();
            Generated once = sana.generate(request, first);
            Generated again = sana.generate(request, second);

            assertThat(again.frameHash()).isEqualTo(once.frameHash());
            assertThat(second.rgb()).isEqualTo(first.rgb());
            assertThat(once.recipe()).contains("\"device\":\"cuda:0\"");
        }
    }
}
