package io.sanavideo.model;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.function.Consumer;

/**
 * Encodes one clip as a stream, with memory that does not depend on its length; the counterpart of
 * {@link LtxVaeStream}.
 *
 * <p>Not safe for use by several threads.
 */
public final class LtxVaeEncodingStream implements EncodingStream {
    private final Scope scope;
    private final FrameChain chain;
    private final LtxVaeConfig config;
    private final int height;
    private final int width;
    private long pictures;

    /**
     * @param height rows of a picture
     * @param width columns of a picture
     * @throws IllegalArgumentException when they are no multiples of the spatial factor
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    LtxVaeEncodingStream(LtxVaeEncoder encoder, int height, int width) {
        this.height = height;
        this.width = width;
        config = encoder.config();
        requireMultiple("height", height);
        requireMultiple("width", width);
        int factor = config.spatialFactor();
        config.encoder().requireLatent(height / factor, width / factor, factor);
        Ops ops = encoder.context().ops();
        scope = new Scope(encoder.context());
        try {
            int patch = config.patch();
            LtxVaeStages stages =
                    new LtxVaeStages(
                            encoder.context(),
                            scope,
                            encoder.compute(),
                            config.encoder(),
                            height / patch,
                            width / patch);
            stages.convolution(
                    encoder.convIn,
                    (long) LtxVaeConfig.COLOURS * config.pixels().size(),
                    (picture, patches) ->
                            ops.spaceToDepth(picture, null, config.pixels(), patches));
            encoder.levels.forEach(stages::down);
            stages.residuals(encoder.middle);
            stages.lastConvolution(encoder.meanOut);
            Tensor scale = scope.tensor(DType.F32, config.latentChannels());
            Tensor shift = scope.tensor(DType.F32, config.latentChannels());
            uploadNormalisation(encoder, scale, shift);
            Tensor latent =
                    scope.tensor(
                            DType.F32,
                            1,
                            height / config.spatialFactor(),
                            width / config.spatialFactor(),
                            config.latentChannels());
            stages.map(mean -> ops.scaleChannels(mean, scale, shift, latent), latent);
            chain = stages.chain();
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    private void requireMultiple(String name, int size) {
        int factor = config.spatialFactor();
        if (size < factor || size % factor != 0) {
            throw new IllegalArgumentException(
                    "%s is %d pixels, expected a multiple of %d".formatted(name, size, factor));
        }
    }

    /** (mean - m) / s as a factor and a term. */
    private static void uploadNormalisation(LtxVaeEncoder encoder, Tensor scale, Tensor shift) {
        int count = encoder.latentMean.length;
        float[] factors = new float[count];
        float[] terms = new float[count];
        for (int i = 0; i < count; i++) {
            double inverse = 1.0 / encoder.latentDeviation[i];
            factors[i] = (float) inverse;
            terms[i] = (float) (-encoder.latentMean[i] * inverse);
        }
        scale.upload(factors);
        shift.upload(terms);
    }

    @Override
    public void encode(Tensor picture, Consumer<Tensor> latents) {
        try (Tensor frame = picture.reshape(1, height, width, LtxVaeConfig.COLOURS)) {
            chain.push(frame, latents);
        }
        pictures++;
    }

    @Override
    public void finish(Consumer<Tensor> latents) {
        int factor = config.temporalFactor();
        if (pictures > 0 && (pictures - 1) % factor != 0) {
            throw new IllegalStateException(
                    "%d pictures were encoded, expected 1, or 1 more than a multiple of %d"
                            .formatted(pictures, factor));
        }
        chain.finish(latents);
    }

    @Override
    public void close() {
        scope.close();
    }
}
