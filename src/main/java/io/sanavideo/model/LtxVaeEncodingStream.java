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
    private final PictureCount pictures;

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
        config.requirePicture(height, width);
        pictures = new PictureCount(config.temporalFactor());
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
            Tensor factors = scope.tensor(DType.F32, config.latentChannels());
            factors.upload(LatentNormalisation.factors(encoder.latentDeviation));
            Tensor terms = scope.tensor(DType.F32, config.latentChannels());
            terms.upload(LatentNormalisation.terms(encoder.latentMean, encoder.latentDeviation));
            Tensor latent =
                    scope.tensor(
                            DType.F32,
                            1,
                            height / config.spatialFactor(),
                            width / config.spatialFactor(),
                            config.latentChannels());
            stages.map(mean -> ops.scaleChannels(mean, factors, terms, latent), latent);
            chain = stages.chain();
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    @Override
    public void encode(Tensor picture, Consumer<Tensor> latents) {
        pictures.add();
        try (Tensor frame = picture.reshape(1, height, width, LtxVaeConfig.COLOURS)) {
            chain.push(frame, latents);
        }
    }

    @Override
    public void finish(Consumer<Tensor> latents) {
        pictures.end();
        chain.finish(latents);
    }

    @Override
    public void close() {
        scope.close();
    }
}
