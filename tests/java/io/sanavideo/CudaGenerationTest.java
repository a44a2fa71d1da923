package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.weights.RandomLora;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        return latents(
                Model.at(SanaVideo.demoModel(), device).withPrecision(precision), request(5, 2));
    }

    private static float[] latents(Model model, TextToVideo request) {
        try (SanaVideo sana = SanaVideo.open(model, ProgressListener.NONE)) {
            return sana.generate(request).latents().values();
        }
    }

    @Test
    void latentsInF32AreTheCpus() {
        float[] expected = latents(Device.cpu(), Precision.F32);

        assertThat(RelativeError.of(latents(Device.cuda(0), Precision.F32), expected))
                .isPositive()
                .isLessThan(1e-4);
    }

    /** Computed beside all products; of an odd rank. */
    @Test
    void latentsWithALoraAreTheCpus(@TempDir Path folder) {
        Path file = RandomLora.ofBlock(51, 0, 5).write(folder.resolve("lora.safetensors"));
        Function<Device, Model> adapted =
                device ->
                        Model.at(SanaVideo.demoModel(), device)
                                .withPrecision(Precision.F32)
                                .withLoras(List.of(Lora.of(file)))
                                .withLoraMode(LoraMode.RUN);
        TextToVideo request = request(1, 2);
        float[] card = latents(adapted.apply(Device.cuda(0)), request);
        float[] cpu = latents(adapted.apply(Device.cpu()), request);
        float[] merged = latents(adapted.apply(Device.cpu()).withLoraMode(LoraMode.MERGE), request);

        assertThat(RelativeError.of(card, cpu)).isPositive().isLessThan(1e-4);
        assertThat(RelativeError.of(card, merged)).isLessThan(1e-4);
        assertThat(
                        RelativeError.of(
                                card,
                                latents(adapted.apply(Device.cpu()).withLoras(List.of()), request)))
                .isGreaterThan(1e-3);
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
