package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Decodes one clip as a stream. The decoder is causal, so a frame goes through it alone as soon as
 * it is there: every convolution over time keeps its last two input frames, and a level that
 * doubles frames sends them on one after the other. What comes out equals decoding the clip as a
 * whole, and memory does not depend on its length: about 3 input frames for each convolution,
 * mostly those of the last level (7 convolutions of 3 * 96 channels at 480x832: 3.2 GB in f32, 1.6
 * GB in bf16).
 *
 * <p>Not safe for use by several threads.
 */
public final class WanVaeStream implements DecodingStream {
    private final WanVaeDecoder decoder;
    private final Ops ops;
    private final DType compute;
    private final Scope scope;
    private final Tensor latentMean;
    private final Tensor latentDeviation;
    private final Tensor latent;
    private final CausalWindow convIn;
    private final ResidualStep middleFirst;
    private final AttentionStep middleAttention;
    private final ResidualStep middleLast;
    private final List<LevelStep> levels = new ArrayList<>();
    private final CausalWindow convOut;
    private final Tensor picture;
    private final Tensor pictureView;
    private boolean first = true;

    /**
     * @param height rows of the latent
     * @param width columns of the latent
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public WanVaeStream(WanVaeDecoder decoder, int height, int width) {
        this.decoder = decoder;
        Context context = decoder.context();
        ops = context.ops();
        compute = decoder.compute();
        scope = new Scope(context);
        try {
            WanVaeConfig config = decoder.config();
            latentMean = channels(config.latentMean());
            latentDeviation = channels(config.latentDeviation());
            latent = scope.tensor(compute, 1, height, width, config.latentChannels());
            convIn = window(height, width, config.latentChannels());
            long rows = height;
            long columns = width;
            for (WanVaeDecoder.Level level : decoder.levels) {
                levels.add(new LevelStep(level, rows, columns));
                rows *= level.config().doublesSize() ? 2 : 1;
                columns *= level.config().doublesSize() ? 2 : 1;
            }
            Tensor middle = levels.get(0).in;
            middleFirst = new ResidualStep(decoder.middleFirst, middle, middle);
            middleAttention = new AttentionStep(decoder.middleAttention, middle);
            middleLast = new ResidualStep(decoder.middleLast, middle, middle);
            convOut = window(rows, columns, levels.get(levels.size() - 1).out.size(3));
            picture = scope.tensor(compute, 1, rows, columns, WanVaeConfig.COLOURS);
            pictureView = picture.reshape(rows, columns, WanVaeConfig.COLOURS);
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    private Tensor channels(float[] values) {
        Tensor tensor = scope.tensor(DType.F32, values.length);
        tensor.upload(values);
        return tensor;
    }

    private CausalWindow window(long height, long width, long channels) {
        return new CausalWindow(scope, compute, height, width, channels);
    }

    @Override
    public void decode(Tensor normalised, Consumer<Tensor> pictures) {
        ops.scaleChannels(normalised, latentDeviation, latentMean, latent);
        ops.linear(
                latent,
                decoder.latentIn.weight(),
                Epilogue.bias(decoder.latentIn.bias()),
                convIn.newest);
        convolve(convIn, decoder.convIn, null, levels.get(0).in);
        middleFirst.run();
        middleAttention.run();
        middleLast.run();
        runLevel(0, pictures);
        first = false;
    }

    /** Nothing is to come: a picture depends on nothing behind it. */
    @Override
    public void finish(Consumer<Tensor> pictures) {}

    private void convolve(
            CausalWindow window, WanVaeDecoder.Layer layer, Tensor residual, Tensor out) {
        Epilogue epilogue = Epilogue.bias(layer.bias()).residual(residual);
        ops.convolution(window.frames, layer.weight(), epilogue, out);
        window.advance();
    }

    private void runLevel(int index, Consumer<Tensor> pictures) {
        LevelStep level = levels.get(index);
        level.residuals.forEach(ResidualStep::run);
        if (index == levels.size() - 1) {
            ops.channelNorm(level.out, decoder.normOut, true, convOut.newest);
            convolve(convOut, decoder.convOut, null, picture);
            pictures.accept(pictureView);
        } else if (level.frames == null || first) {
            // The clip's first frame is never doubled.
            runNextLevel(index, level.out, pictures);
        } else {
            for (Tensor frame : level.frames.run(level.out)) {
                runNextLevel(index, frame, pictures);
            }
        }
    }

    private void runNextLevel(int index, Tensor frame, Consumer<Tensor> pictures) {
        WanVaeDecoder.Layer size = levels.get(index).weights.size();
        ops.upsampleConvolution(frame, size.weight(), size.bias(), levels.get(index + 1).in);
        runLevel(index + 1, pictures);
    }

    @Override
    public void close() {
        scope.close();
    }

    /** A residual block on frames of one size. */
    private final class ResidualStep {
        private final WanVaeDecoder.Residual weights;
        private final Tensor in;
        private final Tensor out;
        private final CausalWindow conv1;
        private final CausalWindow conv2;

        /** Where the block has no shortcut {@code in} and {@code out} are the same. */
        ResidualStep(WanVaeDecoder.Residual weights, Tensor in, Tensor out) {
            this.weights = weights;
            this.in = in;
            this.out = out;
            conv1 = window(in.size(1), in.size(2), in.size(3));
            conv2 = window(out.size(1), out.size(2), out.size(3));
        }

        void run() {
            ops.channelNorm(in, weights.norm1(), true, conv1.newest);
            convolve(conv1, weights.conv1(), null, conv2.newest);
            ops.channelNorm(conv2.newest, weights.norm2(), true, conv2.newest);
            WanVaeDecoder.Layer shortcut = weights.shortcut();
            if (shortcut != null) {
                ops.linear(in, shortcut.weight(), Epilogue.bias(shortcut.bias()), out);
            }
            convolve(conv2, weights.conv2(), out, out);
        }
    }

    /** Attention inside a frame, added to it. */
    private final class AttentionStep {
        private final WanVaeDecoder.Attention weights;
        private final Tensor frame;
        private final Tensor normed;
        private final Tensor attended;
        private final Tensor qkv;
        private final Tensor qkvParts;

        AttentionStep(WanVaeDecoder.Attention weights, Tensor frame) {
            this.weights = weights;
            this.frame = frame;
            long pixels = frame.size(1) * frame.size(2);
            long channels = frame.size(3);
            normed = scope.tensor(compute, frame.shape());
            attended = normed.reshape(1, pixels, channels);
            qkv = scope.tensor(compute, 1, pixels, 3 * channels);
            qkvParts = qkv.reshape(1, pixels, 3, channels);
        }

        void run() {
            ops.channelNorm(frame, weights.norm(), false, normed);
            ops.linear(normed, weights.qkv().weight(), Epilogue.bias(weights.qkv().bias()), qkv);
            ops.frameAttention(qkvParts, attended);
            Epilogue added = Epilogue.bias(weights.out().bias()).residual(frame);
            ops.linear(normed, weights.out().weight(), added, frame);
        }
    }

    /** A level's buffers. */
    private final class LevelStep {
        private final WanVaeDecoder.Level weights;

        /** [1, height, width, channels] */
        private final Tensor in;

        /** The same tensor where the level does not change the number of channels. */
        private final Tensor out;

        private final List<ResidualStep> residuals = new ArrayList<>();
        private final FrameDoubling frames;

        LevelStep(WanVaeDecoder.Level weights, long height, long width) {
            this.weights = weights;
            WanVaeConfig.Level config = weights.config();
            in = scope.tensor(compute, 1, height, width, config.in());
            out =
                    config.in() == config.out()
                            ? in
                            : scope.tensor(compute, 1, height, width, config.out());
            Tensor from = in;
            for (WanVaeDecoder.Residual residual : weights.residuals()) {
                residuals.add(new ResidualStep(residual, from, out));
                from = out;
            }
            frames = config.doublesFrames() ? new FrameDoubling(weights.frames(), out) : null;
        }
    }

    /** Makes two frames of one. */
    private final class FrameDoubling {
        private final WanVaeDecoder.Layer layer;
        private final CausalWindow window;
        private final Tensor doubled;
        private final Tensor doubledPixels;
        private final Tensor interleaved;
        private final List<Tensor> frames;

        FrameDoubling(WanVaeDecoder.Layer layer, Tensor frame) {
            this.layer = layer;
            long height = frame.size(1);
            long width = frame.size(2);
            long channels = frame.size(3);
            window = window(height, width, channels);
            doubled = scope.tensor(compute, 1, height, width, 2 * channels);
            doubledPixels = doubled.reshape(1, height * width, 2 * channels);
            Tensor pair = scope.tensor(compute, 2, height, width, channels);
            interleaved = pair.reshape(2, height * width, channels);
            frames = List.of(pair.slice(0, 1), pair.slice(1, 1));
        }

        List<Tensor> run(Tensor frame) {
            window.newest.copyFrom(frame);
            convolve(window, layer, null, doubled);
            ops.interleaveFrames(doubledPixels, interleaved);
            return frames;
        }
    }
}
