package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.Device;
import io.sanavideo.Latents;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.RelativeError;
import io.sanavideo.TextToVideo;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.ChunkMemory;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.pipeline.Chunk.Start;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.ChunkNoise;
import io.sanavideo.schedule.FewSteps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The demo's transformer, on made-up prompts. */
class ChunkDenoiserTest {
    /**
     * Of so few tokens less, a channel that is 0 in all keys is no rarity, and a query of that
     * channel alone divides by almost nothing.
     */
    private static final int SIDE = 8;

    private static final int CHANNELS = 16;
    private static final int STEPS = 3;
    private static final double GUIDANCE = 3;
    private static final long SEED = 21;
    private static final Runnable GO_ON = () -> {};
    private static final ModelParts PARTS = ModelParts.read(ModelFolder.open(ModelFolder.demo()));
    private static final ChunkSampling SOLVER = ChunkSampling.of(PARTS.schedule(), STEPS, GUIDANCE);

    private final Random random = new Random(4);
    private final float[] circle = normal(6);
    private final float[] square = normal(9);
    private final float[] negativeWords = normal(2);

    private Context context = Context.cpu(1);
    private SanaTransformer transformer = load();

    @AfterEach
    void close() {
        context.close();
    }

    private SanaTransformer load() {
        return SanaTransformer.load(context, PARTS.folder().transformer(), DType.F32);
    }

    private float[] normal(int rows) {
        float[] values = new float[rows * PARTS.transformer().captionChannels()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private Embeddings text(float[] words) {
        return new Embeddings(tensor(words), tensor(negativeWords));
    }

    private Tensor tensor(float[] words) {
        int channels = PARTS.transformer().captionChannels();
        Tensor tensor = context.tensor(DType.F32, words.length / channels, channels);
        tensor.upload(words);
        return tensor;
    }

    private ChunkDenoiser denoiser(int window, ChunkSampling sampling) {
        return new ChunkDenoiser(transformer, SIDE, SIDE, window, sampling);
    }

    private static Chunk chunk(int beat, int number, int frames, Embeddings text, Start start) {
        return new Chunk(SEED, beat, number, frames, text, start, null, null);
    }

    private List<float[]> make(ChunkDenoiser denoiser, Chunk... chunks) {
        List<float[]> made = new ArrayList<>();
        for (Chunk chunk : chunks) {
            denoiser.denoise(
                    chunk, latents -> made.add(latents.values()), GO_ON, ProgressListener.NONE);
        }
        return made;
    }

    private float[] last(ChunkSampling sampling, Chunk... chunks) {
        try (ChunkDenoiser denoiser = denoiser(1, sampling)) {
            return make(denoiser, chunks).get(chunks.length - 1);
        }
    }

    /** To the last bit what the same noise becomes as a clip. */
    @Test
    void aFirstChunkIsAClip() {
        Embeddings text = text(circle);
        long count = (long) 2 * SIDE * SIDE * CHANNELS;
        float[] noise = ChannelsLast.of(new ChunkNoise(SEED).draw(5, 8, 0, count), CHANNELS);
        Settings settings =
                PARTS.settings(
                        TextToVideo.prompt("a circle")
                                .size(SIDE * 8, SIDE * 8)
                                .frames(5)
                                .steps(STEPS)
                                .guidance(GUIDANCE)
                                .flowShift(PARTS.schedule().flowShift())
                                .initialLatents(new Latents(2, SIDE, SIDE, CHANNELS, noise))
                                .build());
        Latents clip =
                new Denoiser(PARTS.transformer(), PARTS.vae())
                        .denoise(
                                transformer,
                                settings,
                                text,
                                null,
                                GO_ON,
                                ProgressListener.NONE,
                                null);
        assertThat(last(SOLVER, chunk(5, 8, 2, text, Start.CONTINUE)))
                .containsExactly(clip.values());
    }

    @Test
    void chunksGoOnFromThoseBefore() {
        Embeddings text = text(circle);
        Chunk first = chunk(0, 0, 2, text, Start.CONTINUE);
        Chunk second = chunk(0, 1, 1, text, Start.CONTINUE);
        float[] alone = last(SOLVER, second);
        float[] after = last(SOLVER, first, second);
        assertThat(after).isNotEqualTo(alone);
        Chunk other = chunk(1, 0, 2, text, Start.CONTINUE);
        assertThat(last(SOLVER, other, second)).isNotEqualTo(after);
    }

    /** Whatever was made before: noise and state of a video that begins are its own. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void afterACutNothingIsLeft(boolean few) {
        ChunkSampling sampling = few ? ChunkSampling.of(FewSteps.LONG_SANA) : SOLVER;
        Embeddings text = text(circle);
        Chunk before = chunk(0, 0, 2, text, Start.CONTINUE);
        Chunk cut = chunk(1, 0, 2, text(square), Start.CUT);
        Chunk next = chunk(1, 1, 2, cut.text(), Start.CONTINUE);
        assertThat(last(sampling, before, cut, next)).containsExactly(last(sampling, cut, next));
        assertThat(last(sampling, before, cut, next))
                .isNotEqualTo(last(sampling, cut, chunk(1, 2, 2, cut.text(), Start.CONTINUE)));
    }

    @Test
    void aCarriedChangeOfPromptIsFollowedAtOnce() {
        Chunk first = chunk(0, 0, 2, text(circle), Start.CONTINUE);
        Embeddings other = text(square);
        float[] carried = last(SOLVER, first, chunk(1, 0, 1, other, Start.CARRY));
        float[] merely = last(SOLVER, first, chunk(1, 0, 1, other, Start.CONTINUE));
        assertThat(carried).isNotEqualTo(merely);
        // Without a change there is nothing to carry over.
        Embeddings same = text(circle);
        assertThat(last(SOLVER, first, chunk(1, 0, 1, same, Start.CARRY)))
                .containsExactly(last(SOLVER, first, chunk(1, 0, 1, same, Start.CONTINUE)));
        // One that keeps the negative prompt's very tensor keeps what was read under it.
        Embeddings sharing = new Embeddings(other.prompt(), first.text().negative());
        assertThat(last(SOLVER, first, chunk(1, 0, 1, sharing, Start.CARRY)))
                .containsExactly(carried);
        // The negative prompt's branch is as good as the other.
        Embeddings away = new Embeddings(tensor(circle), tensor(square));
        assertThat(last(SOLVER, first, chunk(1, 0, 1, away, Start.CARRY)))
                .isNotEqualTo(last(SOLVER, first, chunk(1, 0, 1, away, Start.CONTINUE)));
    }

    /** The noise that few steps mix in is the chunk's own as well. */
    @Test
    void fewStepsDrawNoiseOfTheirPlace() {
        List<Integer> asked = new ArrayList<>();
        FewSteps steps = new FewSteps(List.of(1000, 700, 300), 3, false);
        ChunkSampling sampling =
                new ChunkSampling(
                        noise ->
                                steps.sampler(
                                        step -> {
                                            asked.add(step);
                                            float[] drawn = noise.after(step);
                                            long count = drawn.length;
                                            assertThat(drawn)
                                                    .containsExactly(
                                                            ChannelsLast.of(
                                                                    new ChunkNoise(SEED)
                                                                            .draw(
                                                                                    2, 3, step,
                                                                                    count),
                                                                    CHANNELS));
                                            return drawn;
                                        }),
                        1);
        try (ChunkDenoiser denoiser = denoiser(1, sampling)) {
            assertThat(denoiser.negative()).isNull();
            Embeddings text = new Embeddings(tensor(circle), null);
            make(denoiser, chunk(2, 3, 2, text, Start.CONTINUE));
        }
        assertThat(asked).containsExactly(1, 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {ChunkMemory.ALL, 2})
    void memoryDoesNotGrow(int window) {
        Embeddings text = text(circle);
        try (ChunkDenoiser denoiser = denoiser(window, SOLVER)) {
            make(denoiser, chunk(0, 0, 2, text, Start.CONTINUE));
            make(denoiser, chunk(0, 1, 2, text, Start.CARRY));
            long inUse = context.memoryInUse();
            long peak = context.memoryPeak();
            for (int i = 2; i < 7; i++) {
                make(denoiser, chunk(0, i, 2, text, Start.CARRY));
                assertThat(context.memoryInUse()).isEqualTo(inUse);
            }
            assertThat(context.memoryPeak()).isEqualTo(peak);
        }
    }

    @Test
    void givesAllMemoryBack() {
        Embeddings text = text(circle);
        last(SOLVER, chunk(0, 0, 2, text, Start.CONTINUE), chunk(0, 1, 1, text, Start.CARRY));
        context.trim();
        long before = context.memoryInUse();
        last(SOLVER, chunk(0, 0, 2, text, Start.CONTINUE), chunk(0, 1, 1, text, Start.CARRY));
        context.trim();
        assertThat(context.memoryInUse()).isEqualTo(before);
    }

    @Test
    void handsChunksOnBeforeTheNextAndTellsItsSteps() {
        Embeddings text = text(circle);
        List<String> events = new ArrayList<>();
        try (ChunkDenoiser denoiser = denoiser(1, SOLVER)) {
            for (Chunk chunk :
                    List.of(
                            chunk(0, 0, 2, text, Start.CONTINUE),
                            chunk(0, 1, 1, text, Start.CONTINUE))) {
                denoiser.denoise(
                        chunk,
                        latents ->
                                events.add(
                                        "%d frames after %d"
                                                .formatted(
                                                        latents.frames(),
                                                        denoiser.prompt().frames())),
                        GO_ON,
                        progress -> {
                            assertThat(progress.phase()).isEqualTo(Phase.DENOISE);
                            assertThat(progress.latents().width()).isEqualTo(SIDE);
                            events.add(progress.step() + "/" + progress.total());
                        });
            }
        }
        assertThat(events)
                .containsExactly(
                        "0/3",
                        "1/3",
                        "2/3",
                        "3/3",
                        "2 frames after 0",
                        "0/3",
                        "1/3",
                        "2/3",
                        "3/3",
                        "1 frames after 2");
    }

    @Test
    void afterACancelledChunkAnotherVideoCanBegin() {
        Embeddings text = text(circle);
        Chunk cut = chunk(0, 0, 2, text, Start.CUT);
        int[] calls = new int[1];
        Runnable atTheThird =
                () -> {
                    if (++calls[0] == 3) {
                        throw new CancelledException("stopped");
                    }
                };
        try (ChunkDenoiser denoiser = denoiser(1, SOLVER)) {
            make(denoiser, cut);
            assertThatThrownBy(
                            () ->
                                    denoiser.denoise(
                                            chunk(0, 1, 2, text, Start.CONTINUE),
                                            latents -> {},
                                            atTheThird,
                                            ProgressListener.NONE))
                    .isInstanceOf(CancelledException.class);
            assertThatThrownBy(() -> make(denoiser, chunk(0, 1, 2, text, Start.CONTINUE)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("begin with a cut");
            assertThat(make(denoiser, cut).get(0)).containsExactly(last(SOLVER, cut));
        }
    }

    @Test
    void aVideoThatWasKeptGoesOn() {
        Chunk first = chunk(0, 0, 2, text(circle), Start.CONTINUE);
        Chunk second = chunk(0, 1, 2, first.text(), Start.CONTINUE);
        Chunk third = chunk(1, 0, 1, text(square), Start.CARRY);
        try (ChunkDenoiser whole = denoiser(1, SOLVER);
                ChunkDenoiser resumed = denoiser(1, SOLVER)) {
            make(whole, first, second);
            resume(whole.prompt(), resumed.prompt());
            resume(whole.negative(), resumed.negative());
            resumed.restoreNewest(whole.newest());
            assertThat(make(resumed, third).get(0)).containsExactly(make(whole, third).get(0));
        }
    }

    private static void resume(ChunkMemory kept, ChunkMemory to) {
        Map<String, Tensor> tensors = kept.tensors();
        to.tensors().forEach((name, tensor) -> tensor.copyFrom(tensors.get(name)));
        to.restore(kept.extent());
    }

    @Test
    void refusesWhatDoesNotFit() {
        Embeddings text = text(circle);
        try (ChunkDenoiser denoiser = denoiser(1, SOLVER)) {
            assertThatThrownBy(denoiser::newest)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no chunk");
            Latents noise = new Latents(1, SIDE, SIDE, 1, new float[SIDE * SIDE]);
            assertThatThrownBy(
                            () ->
                                    make(
                                            denoiser,
                                            new Chunk(SEED, 0, 0, 1, text, Start.CUT, null, noise)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("1 channels")
                    .hasMessageContaining("expected 1 frames, 8x8, 16 channels");
            Embeddings unguided = new Embeddings(tensor(circle), null);
            assertThatThrownBy(() -> make(denoiser, chunk(0, 0, 1, unguided, Start.CUT)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("guidance is 3")
                    .hasMessageContaining("negative prompt");
        }
    }

    /** The steps of the second are played from a recording, which reads the state of the first. */
    @Tag("gpu")
    @Test
    void chunksOnACardAreTheCpus() {
        List<float[]> expected = story();
        context.close();
        context = Context.on(Device.cuda(0));
        transformer = load();
        List<float[]> chunks = story();
        for (int i = 0; i < chunks.size(); i++) {
            assertThat(RelativeError.of(chunks.get(i), expected.get(i)))
                    .isPositive()
                    .isLessThan(1e-4);
        }
    }

    private List<float[]> story() {
        Embeddings first = text(circle);
        try (ChunkDenoiser denoiser = denoiser(1, SOLVER)) {
            return make(
                    denoiser,
                    chunk(0, 0, 2, first, Start.CONTINUE),
                    chunk(1, 0, 2, text(square), Start.CARRY));
        }
    }
}
