package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import java.nio.file.Path;
import java.util.ArrayList;
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
                WholeClip.normalise(latent, means, deviations);
                float[] decoded = WholeClip.decode(decoder, latent, shape[2], shape[3], shape[4]);
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
                float[] means = WholeClip.encode(encoder, video, shape[3], shape[4]);
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
}
