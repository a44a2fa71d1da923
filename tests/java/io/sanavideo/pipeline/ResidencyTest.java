package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Device;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.Generated;
import io.sanavideo.Kernels;
import io.sanavideo.Model;
import io.sanavideo.Plan;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.runtime.vendor.KernelChoices;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where memory holds not all components, they come in turn; where it holds not even one, none. */
class ResidencyTest {
    private static final long PLENTY = 1L << 40;
    private static final int LONG = 1025;

    private static final TextToVideo REQUEST = TinyModel.request().frames(5).steps(2).build();

    private static ModelFolder model;
    private static ModelFolder deep;

    @BeforeAll
    static void writeModel(@TempDir Path folder) throws IOException {
        model = TinyModel.write(folder.resolve("tiny"));
        deep = TinyModel.writeDeep(folder.resolve("deep"));
    }

    private static Engine open(Device device, AtomicLong available) {
        return open(model, device, available);
    }

    private static Engine open(ModelFolder model, Device device, AtomicLong available) {
        return Engine.open(
                model,
                device,
                Precision.AUTO,
                Kernels.AUTO,
                available::get,
                null,
                ProgressListener.NONE);
    }

    @Test
    void onTheCpu() {
        sameFramesWithLessMemory(Device.cpu());
    }

    @Tag("gpu")
    @Test
    void onACard() {
        sameFramesWithLessMemory(Device.cuda(0));
    }

    private static void sameFramesWithLessMemory(Device device) {
        AtomicLong available = new AtomicLong(PLENTY);
        String frames;
        Plan together;
        try (TestRun run = TestRun.of(open(device, available))) {
            long weights = run.engine().memoryInUse();
            assertThat(weights).as("all is loaded at once").isPositive();
            frames = run.generate(REQUEST).frameHash();
            together = run.engine().plan(run.engine().settings(REQUEST));
            assertThat(together.inTurn()).isFalse();
            assertThat(run.engine().memoryInUse()).isEqualTo(weights);
        }
        available.set(together.peak() - 1);
        try (TestRun run = TestRun.of(open(device, available))) {
            Plan inTurn = run.engine().plan(run.engine().settings(REQUEST));
            assertThat(inTurn.inTurn()).isTrue();
            assertThat(inTurn.peak()).isLessThan(together.peak());
            run.engine().context().trim();
            run.engine().context().resetPeak();
            Generated generated = run.generate(REQUEST);
            assertThat(generated.frameHash()).isEqualTo(frames);
            assertThat(run.engine().memoryInUse()).as("all is put away").isZero();
            assertThat(run.engine().context().memoryPeak()).isLessThan(together.peak());
        }
    }

    @Test
    void layerByLayerOnTheCpu() {
        sameFramesLayerByLayer(Device.cpu());
    }

    @Tag("gpu")
    @Test
    void layerByLayerOnACard() {
        sameFramesLayerByLayer(Device.cuda(0));
    }

    private static void sameFramesLayerByLayer(Device device) {
        AtomicLong available = new AtomicLong(PLENTY);
        String frames;
        try (TestRun run = TestRun.of(open(deep, device, available))) {
            frames = run.generate(REQUEST).frameHash();
        }
        Plan inTurn = plan(device, plan(device, PLENTY).peak() - 1);
        assertThat(inTurn.inTurn()).isTrue();
        assertThat(inTurn.streamed()).isFalse();
        available.set(inTurn.peak() - 1);
        try (TestRun run = TestRun.of(open(deep, device, available))) {
            Plan streamed = run.engine().plan(run.engine().settings(REQUEST));
            assertThat(streamed.streamed()).isTrue();
            assertThat(streamed.fits()).isTrue();
            run.engine().context().trim();
            run.engine().context().resetPeak();
            assertThat(run.generate(REQUEST).frameHash()).isEqualTo(frames);
            assertThat(run.engine().memoryInUse()).as("all is put away").isZero();
            assertThat(run.engine().context().memoryPeak()).isLessThan(inTurn.peak());
        }
    }

    /** The plan of the deep model where so much memory can be had. */
    private static Plan plan(Device device, long available) {
        ModelParts parts = ModelParts.read(deep);
        KernelChoices kernels = KernelChoices.of(device, Kernels.AUTO);
        return new Planner(parts, device, Precision.AUTO, kernels, () -> available)
                .plan(parts.settings(REQUEST), 0);
    }

    @Test
    void aModelTakesNoMoreThanItMay() throws IOException {
        Plan all = SanaVideo.plan(Model.at(deep.root(), Device.cpu()), REQUEST);
        assertThat(all.inTurn()).isFalse();
        Model less = Model.at(deep.root(), Device.cpu()).withMemory(all.peak() - 1);
        Plan inTurn = SanaVideo.plan(less, REQUEST);
        assertThat(inTurn.inTurn()).isTrue();
        assertThat(inTurn.available()).isEqualTo(all.peak() - 1);
        try (SanaVideo sana = SanaVideo.open(less, ProgressListener.NONE)) {
            assertThat(sana.plan(REQUEST).inTurn()).isTrue();
        }
        Plan nothing = SanaVideo.plan(less.withMemory(1000), REQUEST);
        assertThat(nothing.fits()).isFalse();
    }

    @Test
    void whatDoesNotFitIsRefusedBeforeAnythingIsLoaded() {
        long oneFrame = inTurnPeak(1);
        assertThat(inTurnPeak(LONG)).isGreaterThan(oneFrame);
        AtomicLong available = new AtomicLong(oneFrame);
        List<Phase> phases = new ArrayList<>();
        try (Engine engine = open(Device.cpu(), available);
                CallQueue calls = new CallQueue("test", engine::cancel, engine::resume)) {
            Settings settings = engine.settings(REQUEST).withFrames(LONG);
            assertThatThrownBy(
                            () ->
                                    engine.denoise(
                                            settings,
                                            calls,
                                            progress -> phases.add(progress.phase())))
                    .isInstanceOf(DoesNotFitException.class)
                    .hasMessageContainingAll(
                            "1025 frames of 8x8", "GB of memory", "what would fit: ")
                    .hasMessageMatching(".*--frames \\d+.*");
            assertThat(phases).isEmpty();
            assertThat(engine.memoryInUse()).isZero();
        }
        available.set(1);
        try (TestRun run = TestRun.of(open(Device.cpu(), available))) {
            assertThatThrownBy(() -> run.generate(REQUEST))
                    .isInstanceOf(DoesNotFitException.class)
                    .hasMessageEndingWith("not even the model's shortest clip would fit");
        }
    }

    private static long inTurnPeak(int frames) {
        ModelParts parts = ModelParts.read(model);
        Plan plan =
                new Planner(
                                parts,
                                Device.cpu(),
                                Precision.AUTO,
                                KernelChoices.of(Device.cpu(), Kernels.AUTO),
                                () -> 0)
                        .plan(parts.settings(REQUEST).withFrames(frames), 0);
        assertThat(plan.inTurn()).isTrue();
        return plan.peak();
    }
}
