package io.sanavideo.pipeline;

import io.sanavideo.Sampler;
import io.sanavideo.weights.Json;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a model is run with where a request is silent: its {@code generation_defaults.json}, or, in
 * a folder without one, how the released models were made to run.
 *
 * @param width pixels
 * @param height pixels
 * @param frames of a clip
 * @param fps frames a second
 * @param steps denoising steps
 * @param guidance classifier-free guidance
 * @param flowShift null for the scheduler configuration's
 * @param sampler null for the scheduler configuration's
 * @param instruction whether the built-in instruction is put before the prompt
 * @param maxTokens text tokens that the transformer sees
 * @param negativePrompt may be empty
 * @param longestFrames the clip length that the model was made for; longer ones may drift
 * @param causal whether the model was made to go on chunk by chunk
 * @param chunk how it does that
 * @param trained the sizes that the model was trained on; unknown where it has its own defaults
 */
public record GenerationDefaults(
        int width,
        int height,
        int frames,
        double fps,
        int steps,
        double guidance,
        Double flowShift,
        Sampler sampler,
        boolean instruction,
        int maxTokens,
        String negativePrompt,
        int longestFrames,
        boolean causal,
        ChunkDefaults chunk,
        TrainedSizes trained) {
    static final String FILE = "generation_defaults.json";
    private static final String OWN_INSTRUCTION = "default";

    /** Transformer configurations name their training resolution by this key. */
    private static final int SAMPLE_SIZE_720P = 22;

    /**
     * @param folder the model's
     * @param sampleSize {@code sample_size} of the transformer: 22 for 720p, else 480p
     * @throws io.sanavideo.ModelFormatException when the file is there and broken
     */
    public static GenerationDefaults read(ModelFolder folder, int sampleSize) {
        boolean causal = folder.isCausal();
        boolean large = sampleSize == SAMPLE_SIZE_720P;
        GenerationDefaults released =
                new GenerationDefaults(
                        large ? 1280 : 832,
                        large ? 704 : 480,
                        81,
                        16,
                        50,
                        6,
                        null,
                        null,
                        true,
                        300,
                        "",
                        81,
                        causal,
                        causal ? ChunkDefaults.LONG_SANA : ChunkDefaults.of(50, 6, null),
                        large ? TrainedSizes.P720 : TrainedSizes.P480);
        Path file = folder.root().resolve(FILE);
        return Files.exists(file) ? read(Json.read(file), released) : released;
    }

    private static GenerationDefaults read(Json json, GenerationDefaults released) {
        int frames = json.optionalInt("frames", 1, released.frames);
        int steps = json.optionalInt("steps", 1, released.steps);
        double guidance = json.optionalDouble("guidance_scale", released.guidance);
        Sampler sampler = json.has("sampler") ? sampler(json) : null;
        ChunkDefaults chunk =
                released.causal ? released.chunk : ChunkDefaults.of(steps, guidance, sampler);
        return new GenerationDefaults(
                json.optionalInt("width", 1, released.width),
                json.optionalInt("height", 1, released.height),
                frames,
                positive(json, "fps", released.fps),
                steps,
                guidance,
                json.has("flow_shift") ? positive(json, "flow_shift", 1) : null,
                sampler,
                instruction(json),
                json.optionalInt("max_sequence_length", 2, released.maxTokens),
                json.optionalText("negative_prompt", released.negativePrompt),
                json.optionalInt("max_frames", 1, Math.max(frames, released.longestFrames)),
                json.optionalBoolean("causal", released.causal),
                json.has("chunk") ? ChunkDefaults.read(json.requiredObject("chunk"), chunk) : chunk,
                TrainedSizes.UNKNOWN);
    }

    /**
     * What holds where clips are made chunk by chunk.
     *
     * @param asked the sampler that a request names, or null
     */
    GenerationDefaults inChunks(Sampler asked) {
        Sampler chosen = asked != null ? asked : chunk.sampler();
        boolean own = chosen == chunk.sampler();
        boolean few = chosen == Sampler.FEW_STEP;
        return new GenerationDefaults(
                width,
                height,
                frames,
                fps,
                few ? chunk.timesteps().size() : own ? chunk.steps() : steps,
                few ? 1 : own ? chunk.guidance() : guidance,
                flowShift,
                chosen,
                instruction,
                maxTokens,
                negativePrompt,
                longestFrames,
                causal,
                chunk,
                trained);
    }

    private static double positive(Json json, String key, double fallback) {
        double value = json.optionalDouble(key, fallback);
        if (value <= 0) {
            throw json.unexpected(key, "a number above 0");
        }
        return value;
    }

    static Sampler sampler(Json json) {
        try {
            return Sampler.parse(json.requiredText("sampler"));
        } catch (IllegalArgumentException e) {
            throw json.unexpected("sampler", "\"dpm++\", \"unipc\", \"euler\" or \"few-step\"");
        }
    }

    private static boolean instruction(Json json) {
        if (!json.has("instruction")) {
            return false;
        }
        if (!json.requiredText("instruction").equals(OWN_INSTRUCTION)) {
            throw json.unexpected("instruction", "null or \"" + OWN_INSTRUCTION + "\"");
        }
        return true;
    }
}
