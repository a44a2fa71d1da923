package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * Both sides of the LTX-2 VAE: {@code latent} (not normalised) to {@code decoded}, and {@code
 * video} in -1 to 1 to {@code latent_mean}.
 */
final class LtxVaeCheck implements ComponentCheck {
    private static final String DECODED = "decoded";
    private static final String MEAN = "latent_mean";

    @Override
    public String component() {
        return "LTX-2 VAE";
    }

    /** The variance of latents, which nothing here draws from. */
    @Override
    public List<String> notBuilt() {
        return List.of("latent_logvar");
    }

    @Override
    public List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted) {
        List<Comparison> comparisons = new ArrayList<>();
        try (GoldenTensors golden = GoldenTensors.open(folder)) {
            if (golden.has(DECODED) && wanted.test(DECODED)) {
                comparisons.add(decoded(golden, context, folder, compute));
            }
            if (golden.has(MEAN) && wanted.test(MEAN)) {
                comparisons.add(encoded(golden, context, folder, compute));
            }
        }
        return comparisons;
    }

    private static Comparison decoded(
            GoldenTensors golden, Context context, Path folder, DType compute) {
        int[] shape = golden.shape("latent", 5);
        List<float[]> outputs = new ArrayList<>();
        try (LtxVaeDecoder decoder = LtxVaeDecoder.load(context, folder, compute)) {
            float[] means = decoder.latentMean.toFloats();
            float[] deviations = decoder.latentDeviation.toFloats();
            for (int i = 0; i < shape[0]; i++) {
                float[] latent = ChannelsLast.of(golden.sample("latent", i), shape[1]);
                for (int j = 0; j < latent.length; j++) {
                    double centred = (double) latent[j] - means[j % shape[1]];
                    latent[j] = (float) (centred / deviations[j % shape[1]]);
                }
                float[] decoded = decode(decoder, latent, shape[2], shape[3], shape[4]);
                outputs.add(ChannelsLast.toChannelsFirst(decoded, LtxVaeConfig.COLOURS));
            }
        }
        return Comparison.of(DECODED, GoldenTensors.concatenate(outputs), golden.values(DECODED));
    }

    private static Comparison encoded(
            GoldenTensors golden, Context context, Path folder, DType compute) {
        int[] shape = golden.shape("video", 5);
        List<float[]> outputs = new ArrayList<>();
        try (LtxVaeEncoder encoder = LtxVaeEncoder.load(context, folder, compute)) {
            int channels = encoder.config().latentChannels();
            for (int i = 0; i < shape[0]; i++) {
                float[] video = ChannelsLast.of(golden.sample("video", i), shape[1]);
                float[] means = encode(encoder, video, shape[3], shape[4]);
                for (int j = 0; j < means.length; j++) {
                    int channel = j % channels;
                    means[j] =
                            means[j] * encoder.latentDeviation[channel]
                                    + encoder.latentMean[channel];
                }
                outputs.add(ChannelsLast.toChannelsFirst(means, channels));
            }
        }
        return Comparison.of(MEAN, GoldenTensors.concatenate(outputs), golden.values(MEAN));
    }

    /**
     * Decodes a clip.
     *
     * @param latents [frames, height, width, channels], normalised
     * @return [pictures, rows, columns, 3], not clamped
     */
    static float[] decode(
            LtxVaeDecoder decoder, float[] latents, int frames, int height, int width) {
        List<float[]> pictures = new ArrayList<>();
        int channels = decoder.config().latentChannels();
        try (Tensor clip = decoder.context().tensor(DType.F32, frames, height, width, channels);
                LtxVaeStream stream = decoder.stream(height, width)) {
            clip.upload(latents);
            for (int frame = 0; frame < frames; frame++) {
                stream.decode(clip.slice(frame, 1), picture -> pictures.add(picture.toFloats()));
            }
            stream.finish(picture -> pictures.add(picture.toFloats()));
        }
        return GoldenTensors.concatenate(pictures);
    }

    /**
     * Encodes a clip.
     *
     * @param video [pictures, height, width, 3]
     * @return [frames, rows, columns, channels], normalised
     */
    static float[] encode(LtxVaeEncoder encoder, float[] video, int height, int width) {
        List<float[]> latents = new ArrayList<>();
        int size = height * width * LtxVaeConfig.COLOURS;
        Context context = encoder.context();
        try (Tensor picture =
                        context.tensor(encoder.compute(), height, width, LtxVaeConfig.COLOURS);
                LtxVaeEncodingStream stream = encoder.stream(height, width)) {
            for (int first = 0; first < video.length; first += size) {
                picture.upload(Arrays.copyOfRange(video, first, first + size));
                stream.encode(picture, latent -> latents.add(latent.toFloats()));
            }
            stream.finish(latent -> latents.add(latent.toFloats()));
        }
        return GoldenTensors.concatenate(latents);
    }
}
