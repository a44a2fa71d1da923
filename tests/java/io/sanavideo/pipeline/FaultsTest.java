package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.Kernels;
import io.sanavideo.Precision;
import io.sanavideo.ProgressListener;
import io.sanavideo.TextToVideo;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Faults;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every allocation, op, launch and copy of a small run fails once, on a card a third of them a day:
 * an exception says so, memory is where it was, and the next run makes the same frames as ever.
 */
class FaultsTest {
    /** A run without a fault ends the search; a small run has far fewer events. */
    private static final int MOST_EVENTS = 5000;

    /** On an emulated card, which takes its time: a third of the faults, others every day. */
    private static final int STRIDE_ON_A_CARD = 3;

    /** Runs between two looks at whether a run without faults still works. */
    private static final int CHECK_EVERY = 20;

    /** Three steps: called, recorded and played. */
    private static final TextToVideo GUIDED = TinyModel.request().steps(3).build();

    /** Without the second branch: the emulator of a card takes its time. */
    private static final TextToVideo PLAIN = TinyModel.request().steps(3).guidance(1).build();

    private static ModelFolder model;

    @BeforeAll
    static void writeModel(@TempDir Path folder) throws IOException {
        model = TinyModel.write(folder);
    }

    @ParameterizedTest
    @EnumSource(
            value = Faults.class,
            names = {"ALLOCATION", "OP", "COPY"})
    void everyFaultOnTheCpu(Faults fault) {
        everyFault(Device.cpu(), fault, GUIDED);
    }

    @Tag("gpu")
    @ParameterizedTest
    @EnumSource(
            value = Faults.class,
            names = {"ALLOCATION", "LAUNCH", "COPY"})
    void everyFaultOnACard(Faults fault) {
        everyFault(Device.cuda(0), fault, PLAIN);
    }

    private static void everyFault(Device device, Faults fault, TextToVideo request) {
        Class<? extends Exception> expected =
                fault == Faults.ALLOCATION ? DoesNotFitException.class : DeviceException.class;
        try (TestRun run =
                TestRun.of(
                        Engine.open(
                                model,
                                device,
                                Precision.AUTO,
                                Kernels.AUTO,
                                null,
                                ProgressListener.NONE))) {
            Context context = run.engine().context();
            String frames = run.generate(request).frameHash();
            long before = context.memoryInUse();
            int stride = device.kind() == Device.Kind.CPU ? 1 : STRIDE_ON_A_CARD;
            int n = 1 + (int) (LocalDate.now().toEpochDay() % stride);
            for (int runs = 0; n < MOST_EVENTS; n += stride, runs++) {
                fault.next(context, n);
                Throwable thrown = catchThrowable(() -> run.generate(request));
                if (thrown == null) {
                    break;
                }
                assertThat(thrown).as("%s %d", fault, n).isInstanceOf(expected);
                assertThat(context.memoryInUse()).as("%s %d", fault, n).isEqualTo(before);
                if (runs % CHECK_EVERY == 0) {
                    assertThat(run.generate(request).frameHash()).isEqualTo(frames);
                }
            }
            assertThat(n).as("events of a run").isBetween(10, MOST_EVENTS - 1);
            Faults.none(context);
            assertThat(run.generate(request).frameHash()).isEqualTo(frames);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Faults.class,
            names = {"ALLOCATION", "OP", "COPY"})
    void everyFaultOfLoadingOnTheCpu(Faults fault) {
        everyFaultOfLoading(Device.cpu(), fault);
    }

    @Tag("gpu")
    @ParameterizedTest
    @EnumSource(
            value = Faults.class,
            names = {"ALLOCATION", "COPY"})
    void everyFaultOfLoadingOnACard(Faults fault) {
        everyFaultOfLoading(Device.cuda(0), fault);
    }

    private static void everyFaultOfLoading(Device device, Faults fault) {
        try (Context context = Context.on(device)) {
            int n = 1;
            for (; n < MOST_EVENTS; n++) {
                Components components =
                        new Components(ModelParts.read(model), device, Precision.AUTO, context);
                fault.next(context, n);
                Throwable thrown = catchThrowable(() -> components.loadAll(ProgressListener.NONE));
                components.keepOnly();
                assertThat(context.memoryInUse()).as("%s %d", fault, n).isZero();
                if (thrown == null) {
                    break;
                }
                assertThat(thrown)
                        .as("%s %d", fault, n)
                        .isInstanceOfAny(DoesNotFitException.class, DeviceException.class);
            }
            assertThat(n).as("events of loading").isBetween(10, MOST_EVENTS - 1);
        }
    }

    @Test
    void wrongFaultsAreRefused() {
        try (Context context = Context.cpu(1)) {
            assertThatThrownBy(() -> Faults.COPY.next(context, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected a fault of 0 to 4 and n of 1 or more");
        }
    }
}
