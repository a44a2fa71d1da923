package io.sanavideo.check;

import io.sanavideo.ImageToVideo;
import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Sampler;
import io.sanavideo.StartImage;
import io.sanavideo.TextToVideo;
import io.sanavideo.VideoRequest;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.Comparison;
import io.sanavideo.model.GoldenTensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.DoubleConsumer;

/**
 * Vectors of a whole model: the settings in the file's metadata, {@code noise} [1, channels,
 * frames, height, width], {@code latents} [steps, 1, channels, frames, height, width] after each
 * step, and {@code frames} [1, 3, frames, height, width] in -1 to 1. Those of image to video also
 * hold {@code image} [1, 3, height, width] in -1 to 1 and {@code image_latent} [1, channels, 1,
 * height, width], normalised.
 *
 * @param prefix of the names of what is found, to tell several files apart
 */
record PipelineVectors(Path file, GoldenTensors golden, String prefix) {
    private static final String NOISE = "noise";
    private static final String LATENTS = "latents";
    private static final String FRAMES = "frames";
    private static final String IMAGE = "image";
    private static final String IMAGE_LATENT = "image_latent";

    /**
     * What the reference was asked for. A setting that the metadata does not hold is the model's.
     *
     * @throws ModelFormatException when there is no prompt or a number is not one
     */
    VideoRequest request() {
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
        set("shift", request::flowShift);
        String sampler = golden.metadata().get("sampler");
        if (sampler != null) {
            request.sampler(Sampler.parse(sampler));
        }
        TextToVideo text = request.build();
        return golden.has(IMAGE) ? new ImageToVideo(image(), text) : text;
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

    private StartImage image() {
        int[] shape = golden.shape(IMAGE, 4);
        float[] colours = ChannelsLast.of(golden.values(IMAGE), shape[1]);
        short[] rgb = new short[colours.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (short) Math.round((colours[i] + 1) / 2 * 0xFFFF);
        }
        return new StartImage(shape[3], shape[2], rgb);
    }

    /** How far an encoded image is from the reference's. */
    Comparison compareImage(Latents image) {
        return Comparison.of(
                label(IMAGE_LATENT),
                ChannelsLast.toChannelsFirst(image.values(), image.channels()),
                golden.values(IMAGE_LATENT));
    }

    /** The name of what is found of a tensor. */
    String label(String tensor) {
        return prefix + tensor;
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
