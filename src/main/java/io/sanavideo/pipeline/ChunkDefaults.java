package io.sanavideo.pipeline;

import io.sanavideo.Sampler;
import io.sanavideo.model.ChunkMemory;
import io.sanavideo.schedule.FewSteps;
import io.sanavideo.weights.Json;
import java.util.Arrays;
import java.util.List;

/**
 * How a model makes long video chunk by chunk where a request is silent: {@code chunk} in its
 * {@code generation_defaults.json}.
 *
 * @param latentFrames of a chunk
 * @param window how many chunks a chunk sees behind it, or {@link ChunkMemory#ALL}
 * @param steps denoising steps of a chunk
 * @param guidance classifier-free guidance; 1 with {@link Sampler#FEW_STEP}
 * @param sampler null for the scheduler configuration's
 * @param timesteps of {@link Sampler#FEW_STEP}
 */
record ChunkDefaults(
        int latentFrames,
        int window,
        int steps,
        double guidance,
        Sampler sampler,
        List<Integer> timesteps) {
    /** Of LongSANA, whose folder need not say so. */
    static final ChunkDefaults LONG_SANA =
            fewSteps(10, ChunkMemory.ALL, FewSteps.LONG_SANA.timesteps());

    private static ChunkDefaults fewSteps(int latentFrames, int window, List<Integer> timesteps) {
        return new ChunkDefaults(
                latentFrames, window, timesteps.size(), 1, Sampler.FEW_STEP, timesteps);
    }

    /** Of a model that says nothing of chunks: its own sampling. */
    static ChunkDefaults of(int steps, double guidance, Sampler sampler) {
        return new ChunkDefaults(
                LONG_SANA.latentFrames,
                ChunkMemory.ALL,
                steps,
                guidance,
                sampler,
                LONG_SANA.timesteps);
    }

    /**
     * @param chunk the object of that key
     * @param silent what holds where it says nothing
     */
    static ChunkDefaults read(Json chunk, ChunkDefaults silent) {
        int latentFrames = chunk.optionalInt("latent_frames", 1, silent.latentFrames);
        int window = chunk.optionalInt("num_cached_chunks", ChunkMemory.ALL, silent.window);
        if (window == 0) {
            throw chunk.unexpected("num_cached_chunks", "1 or more, or -1 for all");
        }
        Sampler sampler = chunk.has("sampler") ? GenerationDefaults.sampler(chunk) : silent.sampler;
        List<Integer> timesteps =
                chunk.has("timesteps")
                        ? Arrays.stream(chunk.requiredInts("timesteps", 1, 1000)).boxed().toList()
                        : silent.timesteps;
        if (sampler == Sampler.FEW_STEP) {
            return fewSteps(latentFrames, window, timesteps);
        }
        return new ChunkDefaults(
                latentFrames,
                window,
                chunk.optionalInt("steps", 1, silent.steps),
                chunk.optionalDouble("guidance_scale", silent.guidance),
                sampler,
                timesteps);
    }
}
