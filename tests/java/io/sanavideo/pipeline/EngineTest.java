package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.Device;
import io.sanavideo.FrameSink;
import io.sanavideo.Kernels;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.TextToVideo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Native memory is where it was after every call, however it ends. */
class EngineTest {
    private Engine engine;
    private CallQueue calls;

    @BeforeEach
    void open() {
        ModelFolder demo = ModelFolder.open(ModelFolder.demo());
        engine =
                Engine.open(
                        demo,
                        Device.cpu(),
                        Precision.AUTO,
                        Kernels.AUTO,
                        null,
                        ProgressListener.NONE);
        calls = new CallQueue("engine-test", engine::cancel, engine::resume);
        // Ops keep what scratch they needed for the next call: the first one is not the measure.
        generate(ProgressListener.NONE);
    }

    @AfterEach
    void close() {
        calls.close();
        engine.close();
    }

    @Test
    void generationsGiveAllTheirMemoryBack() {
        long before = engine.memoryInUse();

        for (int i = 0; i < 3; i++) {
            generate(ProgressListener.NONE);
            assertThat(engine.memoryInUse()).isEqualTo(before);
        }
    }

    @Test
    void failedAndCancelledCallsGiveItBackToo() {
        long before = engine.memoryInUse();

        for (Phase phase : new Phase[] {Phase.ENCODE, Phase.DENOISE, Phase.DECODE}) {
            assertThatThrownBy(() -> generate(at(phase, calls::cancel)))
                    .isInstanceOf(CancelledException.class);
            assertThat(engine.memoryInUse()).isEqualTo(before);
            assertThatThrownBy(() -> generate(at(phase, EngineTest::fail)))
                    .isInstanceOf(UnsupportedOperationException.class);
            assertThat(engine.memoryInUse()).isEqualTo(before);
        }
    }

    private void generate(ProgressListener listener) {
        TextToVideo request = TextToVideo.prompt("a red circle").steps(2).build();
        calls.run(
                () -> {
                    Denoised denoised = engine.denoise(engine.settings(request), calls, listener);
                    return engine.decode(denoised, FrameSink.NONE, calls, listener);
                });
    }

    private static ProgressListener at(Phase phase, Runnable action) {
        return progress -> {
            if (progress.phase() == phase && progress.step() == 1) {
                action.run();
            }
        };
    }

    private static void fail() {
        throw new UnsupportedOperationException("a listener's");
    }
}
