package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/** What a VAE is, known from its {@code config.json} alone. */
public interface VaeConfig {
    /** Channels of its latents. */
    int latentChannels();

    /** Pixels of a picture's side for each of the latent's. */
    int spatialFactor();

    /** Pixels of a picture's side at least. */
    default int leastSize() {
        return spatialFactor();
    }

    /**
     * @throws IllegalArgumentException when pictures of this size have no latents
     */
    default void requirePicture(int height, int width) {
        requireMultiple("height", height);
        requireMultiple("width", width);
    }

    private void requireMultiple(String name, int size) {
        if (size < 1 || size % spatialFactor() != 0) {
            throw new IllegalArgumentException(
                    "%s is %d pixels, expected a multiple of %d"
                            .formatted(name, size, spatialFactor()));
        }
    }

    /** Frames for each latent frame after the first, which makes one. */
    int temporalFactor();

    /**
     * Reads a VAE's config.
     *
     * @throws io.sanavideo.ModelFormatException naming key, value and what is supported
     */
    static VaeConfig of(Json json) {
        return switch (json.requiredText("_class_name")) {
            case WanVaeConfig.CLASS -> WanVaeConfig.of(json);
            case LtxVaeConfig.CLASS -> LtxVaeConfig.of(json);
            default ->
                    throw json.unexpected(
                            "_class_name", WanVaeConfig.CLASS + " or " + LtxVaeConfig.CLASS);
        };
    }

    /**
     * Loads the decoder from the VAE's folder.
     *
     * @param compute F32 or BF16
     * @param progress told the bytes of each part that was loaded
     * @throws io.sanavideo.ModelFormatException when a file is broken or not supported
     * @throws io.sanavideo.NumericsException when a weight is NaN or infinite
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    VaeDecoder loadDecoder(Context context, Path folder, DType compute, LongConsumer progress);

    /** Loads the encoder, as {@link #loadDecoder} does the decoder. */
    VaeEncoder loadEncoder(Context context, Path folder, DType compute, LongConsumer progress);
}
