package io.sanavideo.model;

import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.function.Consumer;

/**
 * Decodes one clip as a stream. Every convolution over time keeps its last three input frames.
 * Where the decoder is causal, a latent frame's pictures come out in the call that takes it; where
 * it looks ahead, each convolution delays its frames by one, so that the first pictures come after
 * a number of latent frames, and the last ones at {@link #finish}. What comes out equals decoding
 * the clip as a whole, and memory does not depend on its length: 6 frames for each residual block,
 * 9 where it looks ahead, mostly those of the last level (5 blocks of 9 frames of 128 channels at a
 * quarter of the size: 1.3 GB in f32 and 0.65 GB in bf16 at 704x1280).
 *
 * <p>Not safe for use by several threads.
 */
public final class LtxVaeStream implements DecodingStream {
    private final Scope scope;
    private final FrameChain chain;

    /**
     * @param height rows of the latent
     * @param width columns of the latent
     * @throws IllegalArgumentException when the latent is too small to be mirrored at its edges
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    LtxVaeStream(LtxVaeDecoder decoder, int height, int width) {
        Ops ops = decoder.context().ops();
        LtxVaeConfig config = decoder.config();
        config.decoder().requireLatent(height, width, config.spatialFactor());
        scope = new Scope(decoder.context());
        try {
            LtxVaeStages stages =
                    new LtxVaeStages(
                            decoder.context(),
                            scope,
                            decoder.compute(),
                            config.decoder(),
                            height,
                            width);
            stages.convolution(
                    decoder.convIn,
                    config.latentChannels(),
                    (normalised, latent) ->
                            ops.scaleChannels(
                                    normalised,
                                    decoder.latentDeviation,
                                    decoder.latentMean,
                                    latent));
            stages.residuals(decoder.middle);
            decoder.levels.forEach(stages::up);
            stages.lastConvolution(decoder.convOut);
            long rows = (long) height * config.spatialFactor();
            long columns = (long) width * config.spatialFactor();
            Tensor picture =
                    scope.tensor(decoder.compute(), 1, rows, columns, LtxVaeConfig.COLOURS);
            Tensor view = picture.reshape(rows, columns, LtxVaeConfig.COLOURS);
            stages.map(patches -> ops.depthToSpace(patches, null, config.pixels(), picture), view);
            chain = stages.chain();
            chain.measure(config.temporalFactor());
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    @Override
    public void decode(Tensor normalised, Consumer<Tensor> pictures) {
        chain.push(normalised, pictures);
    }

    @Override
    public int reach() {
        return chain.reach();
    }

    @Override
    public void recall(Tensor before) {
        chain.recall(before);
    }

    @Override
    public void finish(Consumer<Tensor> pictures) {
        chain.finish(pictures);
    }

    @Override
    public void close() {
        scope.close();
    }
}
