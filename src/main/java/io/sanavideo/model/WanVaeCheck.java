package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The VAE's two sides: {@code latent} (not normalised) to {@code decoded}, and {@code video} to
 * {@code latent_mean} and {@code latent_logvar}.
 */
final class WanVaeCheck implements ComponentCheck {
    private static final String DECODED = "decoded";
    private static final String MEAN = "latent_mean";
    private static final String LOG_VARIANCE = "latent_logvar";

    @Override
    public String component() {
        return "Wan VAE";
    }

    @Override
    public List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted) {
        try (GoldenTensors golden = GoldenTensors.open(folder)) {
            List<String> encoded =
                    List.of(MEAN, LOG_VARIANCE).stream()
                            .filter(wanted)
                            .filter(golden::has)
                            .toList();
            List<Comparison> comparisons = new ArrayList<>();
            if (wanted.test(DECODED) && (golden.has(DECODED) || encoded.isEmpty())) {
                comparisons.add(decoded(context, folder, compute, golden));
            }
            if (!encoded.isEmpty()) {
                Map<String, float[]> outputs = encoded(context, folder, compute, golden);
                encoded.forEach(
                        name ->
                                comparisons.add(
                                        Comparison.of(
                                                name, outputs.get(name), golden.values(name))));
            }
            return comparisons;
        }
    }

    private static Comparison decoded(
            Context context, Path folder, DType compute, GoldenTensors golden) {
        try (WanVaeDecoder decoder = WanVaeDecoder.load(context, folder, compute)) {
            int[] shape = golden.shape("latent", 5);
            List<float[]> outputs = new ArrayList<>();
            for (int i = 0; i < shape[0]; i++) {
                float[] latent = ChannelsLast.of(golden.sample("latent", i), shape[1]);
                WanVaeConfig config = decoder.config();
                WholeClip.normalise(latent, config.latentMean(), config.latentDeviation());
                float[] decoded =
                        clamped(WholeClip.decode(decoder, latent, shape[2], shape[3], shape[4]));
                outputs.add(ChannelsLast.toChannelsFirst(decoded, WanVaeConfig.COLOURS));
            }
            return Comparison.of(
                    DECODED, GoldenTensors.concatenate(outputs), golden.values(DECODED));
        }
    }

    /** As the reference, whose pictures end in -1 to 1. */
    private static float[] clamped(float[] colours) {
        for (int i = 0; i < colours.length; i++) {
            colours[i] = Math.max(-1, Math.min(1, colours[i]));
        }
        return colours;
    }

    /** What the encoder makes of all samples, as PyTorch orders it, by name. */
    private static Map<String, float[]> encoded(
            Context context, Path folder, DType compute, GoldenTensors golden) {
        try (WanVaeEncoder encoder = WanVaeEncoder.load(context, folder, compute)) {
            int[] shape = golden.shape("video", 5);
            int channels = encoder.config().latentChannels();
            List<float[]> means = new ArrayList<>();
            List<float[]> logVariances = new ArrayList<>();
            for (int i = 0; i < shape[0]; i++) {
                float[] video = ChannelsLast.of(golden.sample("video", i), shape[1]);
                Moments moments = encode(encoder, video, shape[3], shape[4]);
                means.add(ChannelsLast.toChannelsFirst(moments.mean, channels));
                logVariances.add(ChannelsLast.toChannelsFirst(moments.logVariance, channels));
            }
            return Map.of(
                    MEAN, GoldenTensors.concatenate(means),
                    LOG_VARIANCE, GoldenTensors.concatenate(logVariances));
        }
    }

    /** Of a clip's latents, both [frames, height, width, channels]. */
    private record Moments(float[] mean, float[] logVariance) {}

    /** {@code video}: [pictures, rows, columns, 3] in -1 to 1. */
    private static Moments encode(WanVaeEncoder encoder, float[] video, int rows, int columns) {
        List<float[]> means = new ArrayList<>();
        List<float[]> logVariances = new ArrayList<>();
        try (WanEncodingStream stream = encoder.stream(rows, columns)) {
            WholeClip.encode(
                    encoder,
                    stream,
                    video,
                    rows,
                    columns,
                    latent -> {
                        means.add(stream.mean().toFloats());
                        logVariances.add(stream.logVariance().toFloats());
                    });
        }
        return new Moments(
                GoldenTensors.concatenate(means), GoldenTensors.concatenate(logVariances));
    }
}
