package io.sanavideo.model;

import io.sanavideo.model.LtxVaeLayers.Convolution;
import io.sanavideo.model.LtxVaeLayers.Level;
import io.sanavideo.model.LtxVaeLayers.Residual;
import io.sanavideo.runtime.Block;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.List;

/**
 * An LTX-2 VAE layer by layer on whole clips, as its paper would have it: what streams must equal.
 */
final class LtxWholeClip implements AutoCloseable {
    private final Scope scope;
    private final Context context;
    private final LtxVaeConfig.Side side;

    private LtxWholeClip(Context context, LtxVaeConfig.Side side) {
        this.context = context;
        this.side = side;
        scope = new Scope(context);
    }

    /** latents: [frames, height, width, channels], normalised; f32. */
    static float[] decode(
            LtxVaeDecoder decoder, float[] latents, int frames, int height, int width) {
        LtxVaeConfig config = decoder.config();
        try (LtxWholeClip clip = new LtxWholeClip(decoder.context(), config.decoder())) {
            Tensor x = clip.tensor(frames, height, width, config.latentChannels());
            x.upload(latents);
            clip.context.ops().scaleChannels(x, decoder.latentDeviation, decoder.latentMean, x);
            x = clip.convolve(x, decoder.convIn, null);
            x = clip.residuals(x, decoder.middle);
            for (Level level : decoder.levels) {
                Block block = level.config().block();
                Tensor deep = clip.convolve(x, level.step(), null);
                x = clip.spread(deep, level.config().skips() ? x : null, block);
                x = x.slice(block.frames() - 1, x.size(0) - block.frames() + 1);
                x = clip.residuals(x, level.residuals());
            }
            x = clip.convolve(clip.norm(x), decoder.convOut, null);
            return clip.spread(x, null, config.pixels()).toFloats();
        }
    }

    /** video: [pictures, height, width, 3]; f32. The means, not normalised. */
    static float[] encode(LtxVaeEncoder encoder, float[] video, int height, int width) {
        LtxVaeConfig config = encoder.config();
        try (LtxWholeClip clip = new LtxWholeClip(encoder.context(), config.encoder())) {
            Tensor x = clip.tensor(video.length / (height * width * 3), height, width, 3);
            x.upload(video);
            x = clip.gather(x, null, config.pixels());
            x = clip.convolve(x, encoder.convIn, null);
            for (Level level : encoder.levels) {
                Block block = level.config().block();
                x = clip.residuals(x, level.residuals());
                x = clip.padded(x, block.frames() - 1, 0);
                x = clip.gather(clip.convolve(x, level.step(), null), x, block);
            }
            x = clip.residuals(x, encoder.middle);
            return clip.convolve(clip.norm(x), encoder.meanOut, null).toFloats();
        }
    }

    private Tensor tensor(long... shape) {
        return scope.tensor(DType.F32, shape);
    }

    /** The first frame so many times more in front, the last one behind. */
    private Tensor padded(Tensor x, int before, int behind) {
        long frames = x.size(0);
        Tensor all = tensor(before + frames + behind, x.size(1), x.size(2), x.size(3));
        for (int i = 0; i < all.size(0); i++) {
            long from = Math.max(0, Math.min(frames - 1, i - before));
            all.slice(i, 1).copyFrom(x.slice(from, 1));
        }
        return all;
    }

    private Tensor convolve(Tensor x, Convolution layer, Tensor residual) {
        Tensor in = side.causal() ? padded(x, 2, 0) : padded(x, 1, 1);
        Tensor out = tensor(x.size(0), x.size(1), x.size(2), layer.channels());
        Epilogue epilogue = Epilogue.bias(layer.bias()).residual(residual);
        context.ops().convolution(in, layer.weight(), side.padding(), epilogue, out);
        return out;
    }

    private Tensor norm(Tensor x) {
        Tensor out = tensor(x.shape());
        context.ops().pixelNorm(x, 1e-8f, true, out);
        return out;
    }

    private Tensor residuals(Tensor x, List<Residual> blocks) {
        Tensor y = x;
        for (Residual block : blocks) {
            Tensor inner = convolve(norm(y), block.first(), null);
            y = convolve(norm(inner), block.second(), y);
        }
        return y;
    }

    private Tensor spread(Tensor x, Tensor skip, Block block) {
        Tensor out =
                tensor(
                        x.size(0) * block.frames(),
                        x.size(1) * block.height(),
                        x.size(2) * block.width(),
                        x.size(3) / block.size());
        context.ops().depthToSpace(x, skip, block, out);
        return out;
    }

    private Tensor gather(Tensor x, Tensor skip, Block block) {
        Tensor out =
                tensor(
                        x.size(0) / block.frames(),
                        x.size(1) / block.height(),
                        x.size(2) / block.width(),
                        x.size(3) * block.size());
        context.ops().spaceToDepth(x, skip, block, out);
        return out;
    }

    @Override
    public void close() {
        scope.close();
    }
}
