package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Predicate;

/**
 * A transformer's that runs chunk by chunk: {@code clean} and {@code noisy} latents, cut into
 * {@code chunk_frames}. Each noisy chunk is denoised once given the state of the clean chunks
 * before it, to {@code output}; {@code state.L.vk}, {@code .k} and {@code .last_frame} are what all
 * clean chunks leave in layer L.
 */
final class ChunksCheck implements ComponentCheck {
    private static final String CHUNKS = "chunk_frames";
    private static final String CLEAN = "clean";
    private static final String NOISY = "noisy";
    private static final String OUTPUT = "output";
    private static final String STATE = "state.";
    private static final String TEXT = "encoder_hidden_states";
    private static final String MASK = "encoder_attention_mask";

    /** The timestep of noisy chunks, which the vectors do not hold. */
    private static final double TIMESTEP = 727;

    /** Whether the vectors of a folder, if there are any, are of this kind. */
    static boolean hasVectors(Path folder) {
        if (!Files.exists(folder.resolve(GoldenTensors.FILE))) {
            return false;
        }
        try (GoldenTensors golden = GoldenTensors.open(folder)) {
            return golden.has(CHUNKS);
        }
    }

    @Override
    public String component() {
        return "transformer, chunk by chunk";
    }

    @Override
    public List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted) {
        try (GoldenTensors golden = GoldenTensors.open(folder);
                SanaTransformer transformer = SanaTransformer.load(context, folder, compute)) {
            int[] shape = golden.shape(CLEAN, 5);
            int channels = golden.shape(TEXT, 3)[2];
            float[] words = GoldenTensors.keep(golden.sample(TEXT, 0), golden.sample(MASK, 0));
            try (Tensor embeddings = context.tensor(compute, words.length / channels, channels);
                    ChunkMemory memory =
                            new ChunkMemory(transformer, shape[3], shape[4], ChunkMemory.ALL)) {
                embeddings.upload(words);
                List<Comparison> comparisons = new ArrayList<>();
                try (TransformerText text = new TransformerText(transformer, embeddings)) {
                    float[] output = denoise(transformer, golden, shape, text, memory);
                    comparisons.add(Comparison.of(OUTPUT, output, golden.values(OUTPUT)));
                }
                comparisons.addAll(StateComparison.of(golden, STATE, memory.context()));
                return comparisons;
            }
        }
    }

    /** All chunks' velocities as one clip, [channels, frames, height, width]. */
    private static float[] denoise(
            SanaTransformer transformer,
            GoldenTensors golden,
            int[] shape,
            TransformerText text,
            ChunkMemory memory) {
        Context context = transformer.context();
        int outChannels = transformer.config().outChannels();
        long[] in = {shape[2], shape[3], shape[4], shape[1]};
        long[] out = {shape[2], shape[3], shape[4], outChannels};
        try (Tensor clean = context.tensor(DType.F32, in);
                Tensor noisy = context.tensor(DType.F32, in);
                Tensor velocity = context.tensor(DType.F32, out)) {
            clean.upload(ChannelsLast.of(golden.sample(CLEAN, 0), shape[1]));
            noisy.upload(ChannelsLast.of(golden.sample(NOISY, 0), shape[1]));
            int first = 0;
            for (float size : golden.values(CHUNKS)) {
                int frames = (int) size;
                try (TransformerRun run =
                        new TransformerRun(
                                transformer, frames, shape[3], shape[4], OptionalDouble.empty())) {
                    run.setFirstFrame(memory.frames());
                    run.setTime(new double[] {TIMESTEP});
                    run.velocity(
                            noisy.slice(first, frames),
                            text,
                            memory.context(),
                            velocity.slice(first, frames),
                            null);
                    memory.remember(run, clean.slice(first, frames), text);
                }
                first += frames;
            }
            return ChannelsLast.toChannelsFirst(velocity.toFloats(), outChannels);
        }
    }
}
