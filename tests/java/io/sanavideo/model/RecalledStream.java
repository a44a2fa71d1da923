package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * A random clip, and what its last frames look like to streams that have seen more or less of it.
 */
record RecalledStream(
        VaeDecoder decoder, int height, int width, int channels, float[] latents, int reach) {
    private static final int NEW = 2;
    private static final int EARLIER = 3;

    static RecalledStream of(VaeDecoder decoder, int height, int width, int channels, long seed) {
        int reach;
        try (DecodingStream stream = decoder.stream(height, width)) {
            reach = stream.reach();
        }
        float[] latents = new float[(EARLIER + reach + NEW) * height * width * channels];
        Random random = new Random(seed);
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) random.nextGaussian();
        }
        return new RecalledStream(decoder, height, width, channels, latents, reach);
    }

    private int frames() {
        return EARLIER + reach + NEW;
    }

    /** Pictures of the last two latent frames and of the end, from a stream that saw all. */
    List<List<Float>> expected() {
        return pictures(frames() - NEW, false);
    }

    /** Those of one that recalls so many frames before them. */
    List<List<Float>> after(int recalled) {
        return pictures(recalled, true);
    }

    /** Those of one that recalls all frames before them. */
    List<List<Float>> afterAll() {
        return pictures(frames() - NEW, true);
    }

    private List<List<Float>> pictures(int before, boolean recall) {
        Context context = decoder.context();
        List<List<Float>> pictures = new ArrayList<>();
        Consumer<Tensor> keep =
                picture -> {
                    List<Float> values = new ArrayList<>();
                    for (float value : picture.toFloats()) {
                        values.add(value);
                    }
                    pictures.add(values);
                };
        try (Tensor clip = context.tensor(DType.F32, frames(), height, width, channels);
                DecodingStream stream = decoder.stream(height, width)) {
            clip.upload(latents);
            int next = frames() - NEW;
            if (recall) {
                stream.recall(clip.slice(next - before, before));
            } else {
                for (int i = next - before; i < next; i++) {
                    stream.decode(clip.slice(i, 1), picture -> {});
                }
            }
            for (int i = next; i < frames(); i++) {
                stream.decode(clip.slice(i, 1), keep);
            }
            stream.finish(keep);
        }
        return pictures;
    }
}
