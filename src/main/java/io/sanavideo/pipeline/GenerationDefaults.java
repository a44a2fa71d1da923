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
        TrainedSizes trained) {
    private static final String FILE = "generation_defaults.json";
    private static final String OWN_INSTRUCTION = "default";

    /** Transformer configurations name their training resolution by this key. */
    private static final int SAMPLE_SIZE_720P = 22;

    /**
     * @param folder the model's
     * @param sampleSize {@code sample_size} of the transformer: 22 for 720p, else 480p
     * @throws io.sanavideo.ModelFormatException when the file is there and broken
     */
    public static GenerationDefaults read(Path folder, int sampleSize) {
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
                        large ? TrainedSizes.P720 : TrainedSizes.P480);
        Path file = folder.resolve(FILE);
        return Files.exists(file) ? read(Json.read(file), released) : released;
    }

    private static GenerationDefaults read(Json json, GenerationDefaults released) {
        int frames = json.optionalInt("frames", 1, released.frames);
        return new GenerationDefaults(
                json.optionalInt("width", 1, released.width),
                json.optionalInt("height", 1, released.height),
                frames,
                positive(json, "fps", released.fps),
                json.optionalInt("steps", 1, released.steps),
                json.optionalDouble("guidance_scale", released.guidance),
                json.has("flow_shift") ? positive(json, "flow_shift", 1) : null,
                json.has("sampler") ? sampler(json) : null,
                instruction(json),
                json.optionalInt("max_sequence_length", 2, released.maxTokens),
                json.optionalText("negative_prompt", released.negativePrompt),
                json.optionalInt("max_frames", 1, Math.max(frames, released.longestFrames)),
                TrainedSizes.UNKNOWN);
    }

    private static double positive(Json json, String key, double fallback) {
        double value = json.optionalDouble(key, fallback);
        if (value <= 0) {
            throw json.unexpected(key, "a number above 0");
        }
        return value;
    }

    private static Sampler sampler(Json json) {
        try {
            return Sampler.parse(json.requiredText("sampler"));
        } catch (IllegalArgumentException e) {
            throw json.unexpected("sampler", "\"dpm++\", \"unipc\" or \"euler\"");
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
