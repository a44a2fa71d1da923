package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.Beat;
import io.sanavideo.CancelledException;
import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Kernels;
import io.sanavideo.Plan;
import io.sanavideo.Precision;
import io.sanavideo.ProgressListener;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import io.sanavideo.runtime.Context;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** Native memory of films: what a plan says, and no more however long they are. */
class FilmMemoryTest {
    private static final double TOLERANCE = 0.05;

    private static TestRun open() {
        return TestRun.of(
                Engine.open(
                        ModelFolder.open(ModelFolder.demo()),
                        Device.cpu(1),
                        Precision.F32,
                        Kernels.AUTO,
                        null,
                        ProgressListener.NONE));
    }

    private static Story seconds(double seconds) {
        return Story.of(
                TextToVideo.prompt("").size(32, 32).seed(1).steps(2).build(),
                Beat.of(seconds, "a red circle"));
    }

    /** Memory in use and at its peak is the same from the second chunk on. */
    @Test
    void doesNotGrowWithTheFilm() {
        List<Long> peaks = new ArrayList<>();
        try (TestRun run = open()) {
            Context context = run.engine().context();
            // 10 seconds, a minute and ten: 20, 120 and 1200 latent frames, chunks of one size.
            for (double seconds : new double[] {77 / 8.0, 477 / 8.0, 4797 / 8.0}) {
                context.trim();
                context.resetPeak();
                List<Long> inUse = new ArrayList<>();
                FrameSink sink =
                        new FrameSink() {
                            @Override
                            public void begin(ClipFormat format) {}

                            @Override
                            public void accept(Frame frame) {
                                inUse.add(context.memoryInUse());
                            }
                        };
                make(run, seconds(seconds), sink);
                peaks.add(context.memoryPeak());
                assertThat(inUse).hasSizeGreaterThan(76);
                assertThat(inUse.subList(37, inUse.size())).containsOnly(inUse.get(37));
            }
        }
        assertThat(peaks).hasSize(3).containsOnly(peaks.get(0));
    }

    private static void make(TestRun run, Story story, FrameSink sink) {
        Job job = run.engine().job(story);
        run.calls().run(() -> run.engine().make(job, sink, run.calls(), ProgressListener.NONE));
    }

    /** Many films, and some given up, leave nothing behind: not even for a garbage collector. */
    @Test
    void comesBackToWhereItWas() {
        try (TestRun run = open()) {
            make(run, dissolving(), FrameSink.NONE);
            long tensors = run.engine().memoryInUse();
            long host = hostMemory();
            for (int i = 0; i < 20; i++) {
                make(run, seconds(2 + i % 3), FrameSink.NONE);
                make(run, dissolving(), FrameSink.NONE);
                giveUp(run, dissolving());
            }
            assertThat(run.engine().memoryInUse()).isEqualTo(tensors);
            assertThat(hostMemory()).isEqualTo(host);
        }
    }

    private static Story dissolving() {
        return Story.of(
                TextToVideo.prompt("").size(32, 32).seed(1).steps(2).build(),
                Beat.of(2.5, "a red circle"),
                Beat.of(2, "a blue circle").with(Transition.DISSOLVE));
    }

    /** At the first picture under the dissolve: those it fades in over wait. */
    private static void giveUp(TestRun run, Story story) {
        FrameSink sink =
                new FrameSink() {
                    @Override
                    public void begin(ClipFormat format) {}

                    @Override
                    public void accept(Frame frame) {
                        if (frame.index() == 21) {
                            throw new CancelledException("enough");
                        }
                    }
                };
        assertThatThrownBy(() -> make(run, story, sink)).isInstanceOf(CancelledException.class);
    }

    /** Bytes outside of Java's heap that Java code has taken and not given back. */
    private static long hostMemory() {
        long direct =
                ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                        .filter(pool -> pool.getName().equals("direct"))
                        .mapToLong(BufferPoolMXBean::getMemoryUsed)
                        .sum();
        return direct + Pointer.totalBytes();
    }

    @Test
    void isWhatThePlanSays() {
        Story story =
                Story.of(
                        TextToVideo.prompt("").size(96, 64).seed(1).steps(3).build(),
                        Beat.of(4, "a red circle"),
                        Beat.of(4, "a blue circle"),
                        Beat.of(3, "a green circle").with(Transition.CUT));
        try (TestRun run = open()) {
            Plan plan = run.engine().plan(run.engine().job(story));
            Context context = run.engine().context();
            context.resetPeak();
            make(run, story, FrameSink.NONE);
            assertThat((double) context.memoryPeak())
                    .as("most bytes in use, planned %d", plan.peak())
                    .isCloseTo(plan.peak(), within(TOLERANCE * plan.peak()));
        }
    }

    /** Components in turn, then layer by layer: less memory, the same frames. */
    @Test
    void lessOfItMakesTheSameFrames() {
        Story story = seconds(5);
        String hash;
        long peak;
        try (TestRun run = open()) {
            Job job = run.engine().job(story);
            peak = run.engine().plan(job).peak();
            hash = hash(run, job);
        }
        for (double part : new double[] {0.999, 0.85}) {
            ModelFolder folder =
                    ModelFolder.of(
                            io.sanavideo.Model.at(ModelFolder.demo(), Device.cpu(1))
                                    .withMemory((long) (part * peak)));
            try (TestRun run =
                    TestRun.of(
                            Engine.open(
                                    folder,
                                    Device.cpu(1),
                                    Precision.F32,
                                    Kernels.AUTO,
                                    null,
                                    ProgressListener.NONE))) {
                Job job = run.engine().job(story);
                Plan plan = run.engine().plan(job);
                assertThat(plan.inTurn()).isTrue();
                assertThat(plan.streamed()).isEqualTo(part < 0.9);
                assertThat(hash(run, job)).isEqualTo(hash);
            }
        }
    }

    private static String hash(TestRun run, Job job) {
        return run.calls()
                .run(
                        () ->
                                run.engine()
                                        .make(
                                                job,
                                                FrameSink.NONE,
                                                run.calls(),
                                                ProgressListener.NONE)
                                        .frameHash());
    }
}
