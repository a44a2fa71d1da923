package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.Device;
import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.LoraMode;
import io.sanavideo.ProgressListener;
import io.sanavideo.Quantization;
import io.sanavideo.RelativeError;
import io.sanavideo.pipeline.TinyModel;
import io.sanavideo.quantize.Quantizer;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkMemoryTest {
    private static final Path MODEL = Path.of("tests/golden/transformer-head32-per-token-timestep");
    private static final int HEIGHT = 4;
    private static final int WIDTH = 6;
    private static final int CHANNELS = 16;
    private static final int PIXELS = HEIGHT / 2 * WIDTH / 2;
    private static final List<Integer> CHUNKS = List.of(2, 1, 3, 1);
    private static final double NOISY = 727;

    @TempDir Path folder;

    private final Context context = Context.cpu(0);
    private final Random random = new Random(11);
    private SanaTransformer transformer;
    private TransformerText text;
    private List<Tensor> chunks;

    @BeforeEach
    void load() {
        transformer = SanaTransformer.load(context, MODEL, DType.F32);
        text = new TransformerText(transformer, random(5, 96));
        chunks = CHUNKS.stream().map(frames -> random(frames, HEIGHT, WIDTH, CHANNELS)).toList();
    }

    @AfterEach
    void close() {
        context.close();
    }

    private Tensor random(long... shape) {
        Tensor tensor = context.tensor(DType.F32, shape);
        float[] values = new float[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        tensor.upload(values);
        return tensor;
    }

    private ChunkMemory memory(int window) {
        return new ChunkMemory(transformer, HEIGHT, WIDTH, window);
    }

    private TransformerRun run(Tensor chunk) {
        return run(transformer, chunk);
    }

    private static TransformerRun run(SanaTransformer of, Tensor chunk) {
        return new TransformerRun(of, (int) chunk.size(0), HEIGHT, WIDTH, OptionalDouble.empty());
    }

    private void remember(ChunkMemory memory, Tensor chunk, TransformerText under) {
        try (TransformerRun run = run(chunk)) {
            memory.remember(run, chunk, under);
        }
    }

    private void rememberAnew(ChunkMemory memory, Tensor chunk, TransformerText under) {
        try (TransformerRun run = run(chunk)) {
            memory.rememberAnew(run, chunk, under);
        }
    }

    /** The chunk's velocity as the one that follows what is remembered. */
    private float[] next(ChunkMemory memory, Tensor chunk, double timestep, Observer observer) {
        try (TransformerRun run = run(chunk);
                Tensor velocity = context.tensor(DType.F32, chunk.shape())) {
            run.setFirstFrame(memory.frames());
            run.setTime(new double[] {timestep});
            run.velocity(chunk, text, memory.context(), velocity, observer);
            return velocity.toFloats();
        }
    }

    private static List<float[]> contents(ChunkMemory memory) {
        ChunkState state = memory.context();
        return List.of(
                state.values().toFloats(), state.keys().toFloats(), state.lastFrames().toFloats());
    }

    /** Of every layer what goes into an op and what comes out, chunk after chunk. */
    private static final class Seen implements Observer {
        private final Map<String, List<float[]>> tensors = new TreeMap<>();

        @Override
        public void see(String name, Tensor tensor) {
            tensors.computeIfAbsent(name, key -> new ArrayList<>()).add(tensor.toFloats());
        }

        @Override
        public void seeInput(TransformerLayer layer, Tensor input) {
            see(layer.name(), input);
        }

        float[] whole(String name, Object... arguments) {
            return GoldenTensors.concatenate(tensors.get(name.formatted(arguments)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {ChunkMemory.ALL, 1, 2})
    void chunksComeToOneBlockCausalPass(int window) {
        Seen seen = new Seen();
        try (ChunkMemory memory = memory(window)) {
            for (Tensor chunk : chunks) {
                next(memory, chunk, 0, seen);
                remember(memory, chunk, text);
            }
        }
        try (Checkpoint weights = Checkpoint.open(MODEL)) {
            for (int i = 0; i < transformer.config().layers(); i++) {
                BlockCausal whole =
                        new BlockCausal(
                                weights, transformer.config(), i, HEIGHT / 2, WIDTH / 2, CHUNKS);
                String block = "transformer_blocks.%d.".formatted(i);
                float[] attention =
                        whole.attention(
                                seen.whole(block + "attn1.to_q"),
                                window == ChunkMemory.ALL ? CHUNKS.size() : window);
                assertThat(RelativeError.of(seen.whole("block%d.attn1", i), attention))
                        .isLessThan(1e-5);
                float[] mixed = whole.convolution(seen.whole(block + "ff.conv_temp"));
                assertThat(RelativeError.of(seen.whole("block%d.ff", i), mixed)).isLessThan(1e-5);
            }
        }
    }

    /** The first chunk is a clip of its own, to the last bit; a state of nothing adds nothing. */
    @Test
    void aFirstChunkIsAClip() {
        Tensor chunk = chunks.get(0);
        float[] alone;
        try (TransformerRun run = run(chunk);
                Tensor velocity = context.tensor(DType.F32, chunk.shape())) {
            run.velocity(chunk, new double[] {NOISY}, text, velocity);
            alone = velocity.toFloats();
        }
        try (ChunkMemory memory = memory(ChunkMemory.ALL)) {
            assertThat(next(memory, chunk, NOISY, null)).containsExactly(alone);
            memory.restore(new ChunkMemory.Extent(1, 0, 0));
            assertThat(next(memory, chunk, NOISY, null)).containsExactly(alone);
            memory.forget();
            remember(memory, chunk, text);
            assertThat(next(memory, chunk, NOISY, null)).isNotEqualTo(alone);
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "-1, 3", "1, 1", "1, 2", "1, 4", "2, 2", "2, 4", "3, 4"})
    void aChunkRememberedAnewIsAsIfMadeUnderTheOtherPrompt(int window, int count) {
        try (TransformerText other = new TransformerText(transformer, random(9, 96));
                ChunkMemory memory = memory(window);
                ChunkMemory expected = memory(window)) {
            for (Tensor chunk : chunks.subList(0, count)) {
                remember(memory, chunk, text);
            }
            List<float[]> before = contents(memory);
            for (Tensor chunk : chunks.subList(0, count - 1)) {
                remember(expected, chunk, text);
            }
            Tensor newest = chunks.get(count - 1);
            remember(expected, newest, other);

            rememberAnew(memory, newest, other);
            assertThat(contents(memory)).usingRecursiveComparison().isEqualTo(contents(expected));
            assertThat(contents(memory).get(0)).isNotEqualTo(before.get(0));
            assertThat(memory.extent()).isEqualTo(expected.extent());
            rememberAnew(memory, newest, text);
            assertThat(contents(memory)).usingRecursiveComparison().isEqualTo(before);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {ChunkMemory.ALL, 1, 2, 3})
    void takesAsManyBytesAsItSaysHoweverManyChunks(int window) {
        long before = context.memoryInUse();
        try (ChunkMemory memory = memory(window)) {
            long bytes = ChunkMemory.bytes(transformer.config(), DType.F32, HEIGHT, WIDTH, window);
            assertThat(context.memoryInUse() - before).isEqualTo(bytes);
            remember(memory, chunks.get(0), text);
            long inUse = context.memoryInUse();
            for (int i = 0; i < 9; i++) {
                remember(memory, chunks.get(i % chunks.size()), text);
                rememberAnew(memory, chunks.get(i % chunks.size()), text);
            }
            assertThat(context.memoryInUse()).isEqualTo(inUse);
        }
    }

    @Test
    void theWindowHoldsNothingOfOlderChunks() {
        try (ChunkMemory memory = memory(1);
                ChunkMemory all = memory(ChunkMemory.ALL)) {
            remember(memory, chunks.get(0), text);
            remember(memory, chunks.get(3), text);
            remember(all, chunks.get(0), text);
            remember(all, chunks.get(3), text);
            assertThat(contents(memory).get(0)).isNotEqualTo(contents(all).get(0));
            assertThat(contents(memory).get(2)).containsExactly(contents(all).get(2));
        }
    }

    @Test
    void forgotten() {
        try (ChunkMemory memory = memory(2)) {
            remember(memory, chunks.get(0), text);
            List<float[]> first = contents(memory);
            remember(memory, chunks.get(1), text);
            memory.forget();
            assertThat(memory.context()).isNull();
            assertThat(memory.frames()).isZero();
            remember(memory, chunks.get(0), text);
            assertThat(contents(memory)).usingRecursiveComparison().isEqualTo(first);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {ChunkMemory.ALL, 2})
    void whatWasKeptOfItGoesOn(int window) {
        try (TransformerText other = new TransformerText(transformer, random(9, 96));
                ChunkMemory memory = memory(window);
                ChunkMemory restored = memory(window)) {
            for (Tensor chunk : chunks) {
                remember(memory, chunk, text);
            }
            Map<String, Tensor> kept = memory.tensors();
            restored.tensors().forEach((name, to) -> to.upload(kept.get(name).toFloats()));
            restored.restore(memory.extent());
            rememberAnew(memory, chunks.get(3), other);
            rememberAnew(restored, chunks.get(3), other);
            remember(memory, chunks.get(0), text);
            remember(restored, chunks.get(0), text);
            assertThat(contents(restored)).usingRecursiveComparison().isEqualTo(contents(memory));
            assertThat(restored.frames()).isEqualTo(9);
        }
    }

    /** Also at positions beyond those that networks are trained on. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1023, 1024, 2400})
    void rotationsAreOfAbsolutePositions(int firstFrame) {
        TransformerConfig config = transformer.config();
        TokenGrid grid = TokenGrid.of(config, 2, HEIGHT, WIDTH);
        try (Activations buffers = new Activations(context, config, DType.F32, grid, false)) {
            buffers.setFirstFrame(context, grid, firstFrame);
            float[] angles = buffers.angles.toFloats();
            int pairs = config.headSize() / 2;
            int temporal = pairs - 2 * (config.headSize() / 6);
            for (int token = 0; token < grid.tokens(); token++) {
                int frame = firstFrame + token / PIXELS;
                for (int pair = 0; pair < temporal; pair++) {
                    double angle = frame * Math.pow(10_000, -(double) pair / temporal);
                    int place = (token * pairs + pair) * 2;
                    // Rounded to bf16: half a unit of its last place below 1.
                    assertThat((double) angles[place])
                            .isCloseTo(Math.cos(angle), within(0x1p-9 + 1e-6));
                    assertThat((double) angles[place + 1])
                            .isCloseTo(Math.sin(angle), within(0x1p-9 + 1e-6));
                }
            }
        }
    }

    @Test
    void streamedBlocksLeaveTheSame() {
        try (ChunkMemory resident = memory(ChunkMemory.ALL);
                SanaTransformer streamed =
                        SanaTransformer.load(
                                context,
                                MODEL,
                                DType.F32,
                                LayerPolicy.OF_MODEL,
                                List.of(),
                                LoraMode.MERGE,
                                true,
                                bytes -> {});
                ChunkMemory memory = new ChunkMemory(streamed, HEIGHT, WIDTH, ChunkMemory.ALL)) {
            for (Tensor chunk : chunks) {
                remember(resident, chunk, text);
                try (TransformerRun run = run(streamed, chunk)) {
                    memory.remember(run, chunk, text);
                }
            }
            assertThat(contents(memory)).usingRecursiveComparison().isEqualTo(contents(resident));
        }
    }

    /** Frames of an earlier chunk have no NVFP4 rows beside this one's; weights alone may. */
    @Test
    void refusesQuantizedTemporalConvolutions() throws IOException {
        Path quantized = folder.resolve("quantized");
        Quantization quantization =
                Quantization.of(TinyModel.write(folder).root(), Device.cpu(1))
                        .withCalibration(List.of(TinyModel.request().steps(2).build()))
                        .withChecks(List.of());
        try (Quantizer quantizer = new Quantizer(quantization)) {
            quantizer.write(quantized, ProgressListener.NONE);
        }
        try (SanaTransformer both = loadAtMost(quantized, LayerPrecision.NVFP4);
                SanaTransformer weights = loadAtMost(quantized, LayerPrecision.NVFP4_WEIGHTS)) {
            assertThatThrownBy(() -> new ChunkMemory(both, HEIGHT, WIDTH, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'transformer_blocks.0.ff.conv_temp' nvfp4")
                    .hasMessageContaining("needs nvfp4-weights or bf16");
            new ChunkMemory(weights, HEIGHT, WIDTH, 1).close();
        }
    }

    private SanaTransformer loadAtMost(Path model, LayerPrecision precision) {
        return SanaTransformer.load(
                context,
                model.resolve("transformer"),
                DType.F32,
                LayerPolicy.atMost(precision),
                List.of(),
                LoraMode.MERGE,
                false,
                bytes -> {});
    }

    @Test
    void refusesWhatItCannotDo() {
        for (int window : new int[] {0, -2}) {
            assertThatThrownBy(() -> memory(window))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("window of " + window)
                    .hasMessageContaining("1 or more");
        }
        assertThatThrownBy(() -> new ChunkMemory(transformer, 5, WIDTH, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("height is 5");
        try (ChunkMemory memory = memory(1);
                TransformerRun run = run(chunks.get(0))) {
            assertThatThrownBy(() -> memory.rememberAnew(run, chunks.get(0), text))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no chunk");
            memory.remember(run, chunks.get(0), text);
            assertThatThrownBy(() -> memory.rememberAnew(run, chunks.get(1), text))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("1 frames")
                    .hasMessageContaining("newest chunk's 2");
            assertThatThrownBy(() -> run.setFirstFrame(-1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("first frame is -1");
        }
    }
}
