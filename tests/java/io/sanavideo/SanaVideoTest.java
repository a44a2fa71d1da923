package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sanavideo.Progress.Phase;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The public API, on the demo model. */
class SanaVideoTest {
    private static final String PROMPT = "a red circle moving left on a black background";

    /** Of the demo model: bf16. */
    private static final long WEIGHT_BYTES = 2 * 5_053_699;

    private SanaVideo sana;

    @BeforeEach
    void open() {
        sana = SanaVideo.open(SanaVideo.demoModel(), Device.cpu());
    }

    @AfterEach
    void close() {
        sana.close();
    }

    @Test
    void cancellationFromAnotherThreadEndsTheCallAndLeavesTheEngineUsable() {
        float[] expected = sana.generate(small(7)).latents().values();

        assertThatThrownBy(
                        () ->
                                sana.generate(
                                        small(7),
                                        at(Phase.DENOISE, 1, () -> runElsewhere(sana::cancel))))
                .isInstanceOf(CancelledException.class);

        assertThat(sana.busy()).isFalse();
        assertThat(sana.generate(small(7)).latents().values()).isEqualTo(expected);
    }

    @Test
    void interruptCancelsAndStaysSet() {
        float[] expected = sana.generate(small(7)).latents().values();
        Thread caller = Thread.currentThread();

        assertThatThrownBy(
                        () ->
                                sana.generate(
                                        TextToVideo.prompt(PROMPT).steps(1000).build(),
                                        at(Phase.DENOISE, 1, caller::interrupt)))
                .isInstanceOf(CancelledException.class);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(sana.generate(small(7)).latents().values()).isEqualTo(expected);
    }

    @Test
    void cancelWithoutACallDoesNothing() {
        sana.cancel();

        assertThat(sana.generate(small(7))).isNotNull();
    }

    @Test
    void whatListenersAndSinksThrowReachesTheCaller() {
        RuntimeException own = new UnsupportedOperationException("mine");
        FrameSink sink =
                new FrameSink() {
                    @Override
                    public void begin(ClipFormat format) {}

                    @Override
                    public void accept(Frame frame) {
                        throw own;
                    }
                };

        assertThatThrownBy(() -> sana.generate(small(7), at(Phase.DENOISE, 1, thrower(own))))
                .isSameAs(own);
        assertThatThrownBy(() -> sana.generate(small(7), sink)).isSameAs(own);
        assertThat(sana.generate(small(7))).isNotNull();
    }

    @Test
    void callsOfSeveralThreadsRunInTheirOrder() throws Exception {
        List<Long> order = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<?>> others = new ArrayList<>();
        ProgressListener starter =
                at(
                        Phase.ENCODE,
                        0,
                        () -> {
                            assertThat(sana.busy()).isTrue();
                            for (long seed = 2; seed <= 4; seed++) {
                                others.add(queue(seed, order));
                            }
                        });

        sana.generate(small(1), starter);
        order.add(0, 1L);
        others.forEach(CompletableFuture::join);

        assertThat(order).containsExactly(1L, 2L, 3L, 4L);
        assertThat(sana.busy()).isFalse();
    }

    /** Starts a call on a thread of its own; returns when that thread waits. */
    private CompletableFuture<Void> queue(long seed, List<Long> order) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                sana.generate(
                                        small(seed), at(Phase.DENOISE, 0, () -> order.add(seed)));
                                done.complete(null);
                            } catch (Throwable e) {
                                done.completeExceptionally(e);
                            }
                        });
        thread.start();
        while (thread.getState() != Thread.State.WAITING && !done.isDone()) {
            Thread.onSpinWait();
        }
        return done;
    }

    @Test
    void closedEngineRefusesCalls() {
        Clip clip = sana.generate(small(7));
        sana.close();

        assertThatThrownBy(() -> sana.generate(small(7)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(clip::toImages).isInstanceOf(IllegalStateException.class);
        assertThat(clip.latents().frames()).isEqualTo(5);
        sana.close();
    }

    @Test
    void closeWhileCallsRunAndWaitCancelsThem() {
        AtomicReference<CompletableFuture<Void>> closing = new AtomicReference<>();
        List<CompletableFuture<Void>> waiting = new ArrayList<>();

        Throwable running =
                catchThrowable(
                        () ->
                                sana.generate(
                                        TextToVideo.prompt(PROMPT).steps(1000).build(),
                                        at(
                                                Phase.DENOISE,
                                                1,
                                                () -> {
                                                    waiting.add(queue(8, new ArrayList<>()));
                                                    closing.set(
                                                            CompletableFuture.runAsync(
                                                                    sana::close));
                                                })));

        assertThat(running).isInstanceOf(CancelledException.class);
        closing.get().join();
        assertThatThrownBy(waiting.get(0)::join).hasCauseInstanceOf(CancelledException.class);
    }

    @Test
    void closeFromAListenerIsRefused() {
        assertThatThrownBy(() -> sana.generate(small(7), at(Phase.DENOISE, 1, sana::close)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("listener");
        assertThat(sana.generate(small(7))).isNotNull();
    }

    @Test
    void framesOfASinkAreThoseOfTheImages() {
        CollectedFrames frames = new CollectedFrames();

        Generated generated = sana.generate(small(7), frames);

        List<BufferedImage> images = sana.generate(small(7)).toImages();
        assertThat(frames.format()).isEqualTo(generated.format());
        assertThat(images).hasSize(17);
        assertThat(frames.frames()).hasSize(17);
        for (int i = 0; i < images.size(); i++) {
            assertThat(rgb(images.get(i))).isEqualTo(frames.frames().get(i));
        }
    }

    private static byte[] rgb(BufferedImage image) {
        byte[] rgb = new byte[image.getWidth() * image.getHeight() * 3];
        for (int i = 0; i < rgb.length / 3; i++) {
            int pixel = image.getRGB(i % image.getWidth(), i / image.getWidth());
            rgb[3 * i] = (byte) (pixel >> 16);
            rgb[3 * i + 1] = (byte) (pixel >> 8);
            rgb[3 * i + 2] = (byte) pixel;
        }
        return rgb;
    }

    @Test
    void latentsThatCameOutGoIn() {
        Latents noise = sana.generate(small(7)).latents();

        Latents again = sana.generate(request().seed(1L).initialLatents(noise).build()).latents();
        Latents twice = sana.generate(request().seed(2L).initialLatents(noise).build()).latents();

        assertThat(again.values()).isEqualTo(twice.values()).isNotEqualTo(noise.values());
    }

    @Test
    void latentsOfAnotherSizeAreRefused() {
        Latents wrong = new Latents(5, 8, 7, 16, new float[5 * 8 * 7 * 16]);

        assertThatThrownBy(() -> sana.generate(request().initialLatents(wrong).build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("5 frames of 7x8")
                .hasMessageContaining("5 frames of 8x8");
    }

    @Test
    void progressGoesThroughThePhasesStepByStep() {
        List<Progress> heard = new ArrayList<>();

        sana.generate(small(7), new CollectedFrames(), heard::add);

        List<String> expected = new ArrayList<>();
        for (String phase : List.of("encode 2", "denoise 2", "decode 5")) {
            int total = phase.charAt(phase.length() - 1) - '0';
            for (int step = 0; step <= total; step++) {
                expected.add(phase.replace(" ", " " + step + "/"));
            }
        }
        assertThat(heard.stream().map(Progress::toString)).isEqualTo(expected);
    }

    @Test
    void loadingIsHeardToo() {
        List<Progress> heard = new ArrayList<>();

        SanaVideo.open(SanaVideo.demoModel(), Device.cpu(), Precision.AUTO, heard::add).close();

        assertThat(heard).extracting(Progress::phase).containsOnly(Phase.LOAD);
        assertThat(heard).extracting(Progress::total).containsOnly(WEIGHT_BYTES);
        assertThat(heard)
                .extracting(Progress::step)
                .startsWith(0L)
                .endsWith(WEIGHT_BYTES)
                .isSorted()
                .doesNotHaveDuplicates()
                .hasSizeBetween(30, 102);
    }

    @Test
    void timeLeftFollowsThePaceSoFar() {
        Duration elapsed = Duration.ofSeconds(6);

        assertThat(new Progress(Phase.DENOISE, 0, 5, elapsed, null).remaining())
                .isEqualTo(Duration.ZERO);
        assertThat(new Progress(Phase.DENOISE, 2, 5, elapsed, null).remaining())
                .isEqualTo(Duration.ofSeconds(9));
        assertThat(new Progress(Phase.DENOISE, 5, 5, elapsed, null).remaining())
                .isEqualTo(Duration.ZERO);
    }

    @Test
    void previewsOfLatentsAreThereWhileDenoisingOnly() {
        List<Latents> previews = new ArrayList<>();

        Clip clip =
                sana.generate(
                        small(7),
                        progress -> {
                            if (progress.phase() == Phase.DENOISE) {
                                previews.add(progress.latents());
                            } else {
                                assertThatThrownBy(progress::latents)
                                        .isInstanceOf(IllegalStateException.class);
                            }
                        });

        assertThat(previews).hasSize(3);
        assertThat(previews.get(2).values()).isEqualTo(clip.latents().values());
        assertThat(previews.get(1).values()).isNotEqualTo(clip.latents().values());
    }

    @Test
    void clipMayBeDecodedFromWithinAListener() {
        Clip first = sana.generate(small(1));
        float[] expected = sana.generate(small(2)).latents().values();
        List<BufferedImage> images = new ArrayList<>();

        Clip second =
                sana.generate(
                        small(2), at(Phase.DENOISE, 1, () -> images.addAll(first.toImages())));

        assertThat(images).hasSize(17);
        assertThat(second.latents().values()).isEqualTo(expected);
    }

    @Test
    void withoutASeedOneIsDrawn() {
        Clip first = sana.generate(request().build());
        Clip second = sana.generate(request().build());

        assertThat(first.seed()).isNotEqualTo(second.seed());
        assertThat(sana.generate(small(first.seed())).latents().values())
                .isEqualTo(first.latents().values());
    }

    @ParameterizedTest
    @CsvSource({
        "65, 64, 64x64",
        "64, 71, 64x64",
        "72, 73, 80x80",
        "1, 1, 16x16",
        "64, 99999, 64x16384"
    })
    void sizesAreRefusedWithTheNearest(int width, int height, String nearest) {
        assertThatThrownBy(() -> sana.generate(request().size(width, height).build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(width + "x" + height)
                .hasMessageContaining("nearest is " + nearest);
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "16, 17", "18, 17", "20, 21"})
    void frameCountsAreRefusedWithTheNearest(int frames, int nearest) {
        assertThatThrownBy(() -> sana.generate(request().frames(frames).build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(frames + " frames")
                .hasMessageEndingWith("nearest is " + nearest);
    }

    @ParameterizedTest
    @CsvSource({"0.001, 1", "0.3, 5", "1, 9", "1.13, 9", "2, 17"})
    void secondsAreNeverRefused(double seconds, int frames) {
        Clip clip = sana.generate(request().seconds(seconds).steps(1).build());

        assertThat(clip.format().frames()).isEqualTo(frames);
    }

    @Test
    void emptyPromptIsRefused() {
        assertThatThrownBy(() -> sana.generate(TextToVideo.prompt(" ").build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("prompt is empty");
    }

    private static TextToVideo.Builder request() {
        return TextToVideo.prompt(PROMPT).steps(2);
    }

    private static TextToVideo small(long seed) {
        return request().seed(seed).build();
    }

    /** Does something at one step. */
    private static ProgressListener at(Phase phase, int step, Runnable action) {
        return progress -> {
            if (progress.phase() == phase && progress.step() == step) {
                action.run();
            }
        };
    }

    private static Runnable thrower(RuntimeException exception) {
        return () -> {
            throw exception;
        };
    }

    private static void runElsewhere(Runnable action) {
        CompletableFuture.runAsync(action).join();
    }
}
