package io.sanavideo.check;

import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.TextToVideo;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.GoldenTensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.DoubleConsumer;

/**
 * Vectors of a whole model: the settings in the file's metadata, {@code noise} [1, channels,
 * frames, height, width], {@code latents} [steps, 1, channels, frames, height, width] after each
 * step, and {@code frames} [1, 3, frames, height, width] in -1 to 1.
 */
record PipelineVectors(Path file, GoldenTensors golden) {
    private static final String NOISE = "noise";
    private static final String LATENTS = "latents";
    private static final String FRAMES = "frames";

    /**
     * What the reference was asked for. A setting that the metadata does not hold is the model's.
     *
     * @throws ModelFormatException when there is no prompt or a number is not one
     */
    TextToVideo request() {
        String prompt = golden.metadata().get("prompt");
        if (prompt == null) {
            throw new ModelFormatException(
                    "%s: the metadata has no 'prompt', but %s"
                            .formatted(file, golden.metadata().keySet()));
        }
        int[] frames = oneClip(FRAMES);
        TextToVideo.Builder request =
                TextToVideo.prompt(prompt)
                        .frames(frames[2])
                        .size(frames[4], frames[3])
                        .steps(golden.shape(LATENTS, 6)[0])
                        .initialLatents(noise());
        String negative = golden.metadata().get("negative_prompt");
        if (negative != null) {
            request.negativePrompt(negative);
        }
        set("guidance_scale", request::guidance);
        set("flow_shift", request::flowShift);
        return request.build();
    }

    private void set(String key, DoubleConsumer setter) {
        String text = golden.metadata().get(key);
        if (text == null) {
            return;
        }
        try {
            setter.accept(Double.parseDouble(text));
        } catch (NumberFormatException e) {
            throw new ModelFormatException(
                    "%s: the metadata's '%s' is '%s', expected a number".formatted(file, key, text),
                    e);
        }
    }

    private Latents noise() {
        int[] shape = oneClip(NOISE);
        float[] values = ChannelsLast.of(golden.values(NOISE), shape[1]);
        return new Latents(shape[2], shape[3], shape[4], shape[1], values);
    }

    private int[] oneClip(String name) {
        int[] shape = golden.shape(name, 5);
        if (shape[0] != 1) {
            throw new ModelFormatException(
                    "%s: tensor '%s' has shape %s, expected one clip, [1, ...]"
                            .formatted(file, name, Arrays.toString(shape)));
        }
        return shape;
    }

    /** After a step, from 0: [channels, frames, height, width]. */
    float[] latents(int step) {
        return golden.sample(LATENTS, step);
    }

    /** [3, frames, height, width]. */
    float[] frames() {
        return golden.values(FRAMES);
    }

    /** Token ids, which are read as floats like everything else. */
    static int[] toInts(float[] ids) {
        int[] whole = new int[ids.length];
        Arrays.setAll(whole, i -> (int) ids[i]);
        return whole;
    }
}
