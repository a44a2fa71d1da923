package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
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
                normalise(latent, decoder.config());
                float[] decoded = decode(decoder, latent, shape[2], shape[3], shape[4]);
                outputs.add(ChannelsLast.toChannelsFirst(decoded, WanVaeConfig.COLOURS));
            }
            return Comparison.of(
                    DECODED, GoldenTensors.concatenate(outputs), golden.values(DECODED));
        }
    }

    private static void normalise(float[] latent, WanVaeConfig config) {
        for (int i = 0; i < latent.length; i++) {
            int channel = i % config.latentChannels();
            double centred = (double) latent[i] - config.latentMean()[channel];
            latent[i] = (float) (centred / config.latentDeviation()[channel]);
        }
    }

    /**
     * Decodes a clip.
     *
     * @param latents [frames, height, width, channels], normalised
     * @return [pictures, rows, columns, 3] in -1 to 1
     */
    static float[] decode(
            WanVaeDecoder decoder, float[] latents, int frames, int height, int width) {
        List<float[]> pictures = new ArrayList<>();
        int channels = decoder.config().latentChannels();
        try (Tensor clip = decoder.context().tensor(DType.F32, frames, height, width, channels);
                WanVaeStream stream = new WanVaeStream(decoder, height, width)) {
            clip.upload(latents);
            for (int frame = 0; frame < frames; frame++) {
                stream.decode(
                        clip.slice(frame, 1), picture -> pictures.add(clamped(picture.toFloats())));
            }
        }
        return GoldenTensors.concatenate(pictures);
    }

    private static float[] clamped(float[] colours) {
        for (int i = 0; i < colours.length; i++) {
            colours[i] = Math.max(-1, Math.min(1, colours[i]));
        }
        return colours;
    }

    /** What the encoder makes of all samples, as PyTorch orders it, by name. */
    private static Map<String, float[]> encoded(
            Context context, Path folder, DType compute, GoldenTensors golden) {
        try (WanVaeEncoder encoder = WanVaeEncoder.load(context, folder, compute, bytes -> {})) {
            int[] shape = golden.shape("video", 5);
            int channels = encoder.config().latentChannels();
            List<float[]> means = new ArrayList<>();
            List<float[]> logVariances = new ArrayList<>();
            for (int i = 0; i < shape[0]; i++) {
                float[] video = ChannelsLast.of(golden.sample("video", i), shape[1]);
                Moments moments = encode(encoder, video, shape[2], shape[3], shape[4]);
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
    private static Moments encode(
            WanVaeEncoder encoder, float[] video, int pictures, int rows, int columns) {
        List<float[]> means = new ArrayList<>();
        List<float[]> logVariances = new ArrayList<>();
        try (Tensor clip =
                        encoder.context()
                                .tensor(
                                        encoder.compute(),
                                        pictures,
                                        rows,
                                        columns,
                                        WanVaeConfig.COLOURS);
                WanEncodingStream stream = encoder.stream(rows, columns)) {
            clip.upload(video);
            Consumer<Tensor> latents =
                    latent -> {
                        means.add(stream.mean().toFloats());
                        logVariances.add(stream.logVariance().toFloats());
                    };
            for (int i = 0; i < pictures; i++) {
                Tensor picture = clip.slice(i, 1).reshape(rows, columns, WanVaeConfig.COLOURS);
                stream.encode(picture, latents);
            }
            stream.finish(latents);
        }
        return new Moments(
                GoldenTensors.concatenate(means), GoldenTensors.concatenate(logVariances));
    }
}
