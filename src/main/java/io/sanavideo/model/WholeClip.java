package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** Clips on the host through the streams of a VAE, for comparing them with references. */
final class WholeClip {
    private static final int COLOURS = 3;

    private WholeClip() {}

    /**
     * Decodes a clip.
     *
     * @param latents [frames, height, width, channels], normalised
     * @return [pictures, rows, columns, 3], not clamped
     */
    static float[] decode(VaeDecoder decoder, float[] latents, int frames, int height, int width) {
        List<float[]> pictures = new ArrayList<>();
        Consumer<Tensor> taker = picture -> pictures.add(picture.toFloats());
        int size = latents.length / frames;
        int channels = size / (height * width);
        try (Tensor latent = decoder.context().tensor(DType.F32, 1, height, width, channels);
                DecodingStream stream = decoder.stream(height, width)) {
            for (int first = 0; first < latents.length; first += size) {
                latent.upload(Arrays.copyOfRange(latents, first, first + size));
                stream.decode(latent, taker);
            }
            stream.finish(taker);
        }
        return GoldenTensors.concatenate(pictures);
    }

    /**
     * Encodes a clip.
     *
     * @param video [pictures, height, width, 3] in -1 to 1
     * @return [frames, rows, columns, channels], normalised
     */
    static float[] encode(VaeEncoder encoder, float[] video, int height, int width) {
        List<float[]> latents = new ArrayList<>();
        try (EncodingStream stream = encoder.stream(height, width)) {
            encode(encoder, stream, video, height, width, latent -> latents.add(latent.toFloats()));
        }
        return GoldenTensors.concatenate(latents);
    }

    /** As the other, through a stream that shows more than it hands on. */
    static void encode(
            VaeEncoder encoder,
            EncodingStream stream,
            float[] video,
            int height,
            int width,
            Consumer<Tensor> latents) {
        int size = height * width * COLOURS;
        Context context = encoder.context();
        try (Tensor picture = context.tensor(encoder.compute(), height, width, COLOURS)) {
            for (int first = 0; first < video.length; first += size) {
                picture.upload(Arrays.copyOfRange(video, first, first + size));
                stream.encode(picture, latents);
            }
            stream.finish(latents);
        }
    }

    /** Latents as the transformer has them: (x - mean) / deviation by channel, in place. */
    static void normalise(float[] latents, float[] mean, float[] deviation) {
        for (int i = 0; i < latents.length; i++) {
            int channel = i % mean.length;
            latents[i] = (float) (((double) latents[i] - mean[channel]) / deviation[channel]);
        }
    }
}
