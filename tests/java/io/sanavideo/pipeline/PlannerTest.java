package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.Device;
import io.sanavideo.Kernels;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.Model;
import io.sanavideo.Plan;
import io.sanavideo.Plan.PhaseMemory;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.TextToVideo;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.vendor.KernelChoices;
import io.sanavideo.weights.RandomLora;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What was planned against what was then used. */
class PlannerTest {
    private static final double CPU_TOLERANCE = 0.10;
    private static final double CARD_TOLERANCE = 0.05;

    @ParameterizedTest
    @CsvSource({
        "64, 64, 17, 6, AUTO",
        "64, 64, 1, 1, F32",
        "64, 96, 33, 6, BF16",
        "128, 64, 65, 1, AUTO",
        "96, 96, 9, 6, F32",
        "192, 160, 17, 1, BF16",
        "256, 256, 5, 6, BF16",
        "64, 64, 129, 6, F32",
        "48, 32, 21, 1, F32",
        "320, 64, 1, 6, AUTO",
    })
    void onTheCpu(int width, int height, int frames, double guidance, Precision precision) {
        TextToVideo request =
                TextToVideo.prompt("a red circle moving left on a black background")
                        .size(width, height)
                        .frames(frames)
                        .chunk(TextToVideo.WHOLE_CLIP)
                        .guidance(guidance)
                        .steps(3)
                        .build();
        compare(Device.cpu(), precision, request, CPU_TOLERANCE);
    }

    /** Of a rank that is felt: as much again as the transformer. */
    @ParameterizedTest
    @EnumSource(LoraMode.class)
    void withALora(LoraMode mode, @TempDir Path folder) {
        RandomLora lora = RandomLora.ofBlock(41, 0, 128);
        for (int block = 1; block < 6; block++) {
            lora.layer("transformer_blocks." + block + ".ff.conv_inverted", 768, 512, 128L, 1L, 1L);
        }
        Path file = lora.write(folder.resolve("lora.safetensors"));
        Model adapted =
                Model.at(ModelFolder.demo(), Device.cpu())
                        .withLoras(List.of(Lora.of(file)))
                        .withLoraMode(mode);
        TextToVideo request = TextToVideo.prompt("a red circle").frames(5).steps(2).build();
        compare(ModelFolder.of(adapted), Device.cpu(), Precision.F32, request, CPU_TOLERANCE);
    }

    @Tag("gpu")
    @Test
    void onACard() {
        TextToVideo request =
                TextToVideo.prompt("a red circle moving left on a black background")
                        .size(32, 48)
                        .frames(5)
                        .steps(2)
                        .build();
        compare(Device.cuda(0), Precision.AUTO, request, CARD_TOLERANCE);
    }

    private static void compare(
            Device device, Precision precision, TextToVideo request, double tolerance) {
        compare(ModelFolder.open(ModelFolder.demo()), device, precision, request, tolerance);
    }

    private static void compare(
            ModelFolder model,
            Device device,
            Precision precision,
            TextToVideo request,
            double tolerance) {
        Plan plan = Planner.plan(model, device, precision, Kernels.AUTO, request);
        assertThat(plan.inTurn()).isFalse();
        assertThat(plan.phases())
                .extracting(PhaseMemory::phase)
                .containsExactly(Phase.ENCODE, Phase.DENOISE, Phase.DECODE);
        try (TestRun run =
                TestRun.of(
                        Engine.open(
                                model,
                                device,
                                precision,
                                Kernels.AUTO,
                                null,
                                ProgressListener.NONE))) {
            Context context = run.engine().context();
            long weights = context.memoryInUse();
            assertThat(plan.phases().get(0).weights()).isEqualTo(weights);
            context.resetPeak();
            run.generate(request);
            assertThat((double) context.memoryPeak())
                    .as("most bytes in use, planned %d", plan.peak())
                    .isCloseTo(plan.peak(), within(tolerance * plan.peak()));
        }
    }

    private static Planner planner(ModelParts parts, long available) {
        Device cpu = Device.cpu();
        return new Planner(
                parts, cpu, Precision.F32, KernelChoices.of(cpu, Kernels.AUTO), () -> available);
    }

    @Test
    void weightsOfThePhasesInTurnAddUp() {
        ModelFolder demo = ModelFolder.open(ModelFolder.demo());
        ModelParts parts = ModelParts.read(demo);
        Settings settings = parts.settings(TextToVideo.prompt("a circle").build());
        Plan together = planner(parts, Long.MAX_VALUE).plan(settings, 0);
        Plan inTurn = planner(parts, together.peak() - 1).plan(settings, 0);

        assertThat(inTurn.inTurn()).isTrue();
        assertThat(inTurn.streamed()).isFalse();
        assertThat(together.fits()).isTrue();
        long embeddings = inTurn.phases().get(1).weights();
        long sum = inTurn.phases().stream().mapToLong(PhaseMemory::weights).sum();
        assertThat(sum).isBetween(together.phases().get(0).weights(), sum + embeddings);
        assertThat(together.disk()).isEqualTo(10_107_398);
        assertThat(inTurn.alternatives()).isEmpty();
        Plan nothing = planner(parts, 0).plan(settings, 0);
        assertThat(nothing.fits()).isFalse();
        assertThat(nothing.alternatives()).isEmpty();
    }

    /** A card that this machine lacks can be planned for; what it can give is not known. */
    @Test
    void aCardNeedNotBeThere() {
        ModelFolder demo = ModelFolder.open(ModelFolder.demo());
        TextToVideo request = TextToVideo.prompt("a circle").build();
        try {
            Context.dry(Device.cuda(77)).close();
        } catch (io.sanavideo.DeviceException e) {
            assertThat(e).hasMessageContaining("this build has no CUDA kernels");
            return;
        }

        Plan plan = Planner.plan(demo, Device.cuda(77), Precision.AUTO, Kernels.AUTO, request);

        assertThat(plan.available()).isEqualTo(Plan.UNKNOWN);
        assertThat(plan.fits()).isTrue();
        assertThat(plan.peak()).isPositive();
    }
}
