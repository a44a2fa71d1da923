package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The VAE's decoder: {@code latent} (not normalised) to {@code decoded}. */
final class WanVaeCheck implements ComponentCheck {
    private static final String OUTPUT = "decoded";

    @Override
    public String component() {
        return "Wan VAE";
    }

    @Override
    public List<String> notBuilt() {
        return List.of("latent_mean", "latent_logvar");
    }

    @Override
    public List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted) {
        if (!wanted.test(OUTPUT)) {
            return List.of();
        }
        try (GoldenTensors golden = GoldenTensors.open(folder);
                WanVaeDecoder decoder = WanVaeDecoder.load(context, folder, compute)) {
            int[] shape = golden.shape("latent", 5);
            List<float[]> outputs = new ArrayList<>();
            for (int i = 0; i < shape[0]; i++) {
                float[] latent = ChannelsLast.of(golden.sample("latent", i), shape[1]);
                normalise(latent, decoder.config());
                float[] decoded = decode(decoder, latent, shape[2], shape[3], shape[4]);
                outputs.add(ChannelsLast.toChannelsFirst(decoded, WanVaeConfig.COLOURS));
            }
            return List.of(
                    Comparison.of(
                            OUTPUT, GoldenTensors.concatenate(outputs), golden.values(OUTPUT)));
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
}
