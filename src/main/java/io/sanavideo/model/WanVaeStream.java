package io.sanavideo.model;

import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Decodes one clip as a stream. Every convolution over time keeps its last two input frames, and a
 * level that doubles frames sends them on one after the other. What comes out equals decoding the
 * clip as a whole, and memory does not depend on its length: about 3 input frames for each
 * convolution, mostly those of the last level (7 convolutions of 3 * 96 channels at 480x832: 3.2 GB
 * in f32, 1.6 GB in bf16).
 *
 * <p>Not safe for use by several threads.
 */
public final class WanVaeStream implements DecodingStream {
    private final WanVaeDecoder decoder;
    private final Ops ops;
    private final WanVaeBlocks blocks;
    private final Tensor latentMean;
    private final Tensor latentDeviation;
    private final Tensor latent;
    private final NewestFrames convIn;
    private final WanVaeBlocks.MiddleBlock middle;
    private final List<LevelBlock> levels = new ArrayList<>();
    private final WanVaeBlocks.HeadBlock head;
    private final Tensor pictureView;
    private final int[] reaches;
    private boolean first = true;

    /** How many latent frames from this one on come before the next that makes pictures. */
    private int ahead;

    /**
     * @param height rows of the latent
     * @param width columns of the latent
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public WanVaeStream(WanVaeDecoder decoder, int height, int width) {
        this.decoder = decoder;
        ops = decoder.context().ops();
        blocks = new WanVaeBlocks(decoder.context(), decoder.compute());
        try {
            WanVaeConfig config = decoder.config();
            reaches = config.decoderReaches();
            latentMean = blocks.channels(config.latentMean());
            latentDeviation = blocks.channels(config.latentDeviation());
            latent = blocks.frame(height, width, config.latentChannels());
            convIn = blocks.window(height, width, config.latentChannels());
            long rows = height;
            long columns = width;
            for (WanVaeDecoder.Level level : decoder.levels) {
                levels.add(new LevelBlock(level, rows, columns));
                rows *= level.config().doublesSize() ? 2 : 1;
                columns *= level.config().doublesSize() ? 2 : 1;
            }
            middle = blocks.middle(decoder.middle, levels.get(0).in);
            Tensor picture = blocks.frame(rows, columns, WanVaeConfig.COLOURS);
            pictureView = picture.reshape(rows, columns, WanVaeConfig.COLOURS);
            head = blocks.head(decoder.head, levels.get(levels.size() - 1).out, picture);
        } catch (Throwable e) {
            blocks.close();
            throw e;
        }
    }

    @Override
    public void decode(Tensor normalised, Consumer<Tensor> pictures) {
        ops.scaleChannels(normalised, latentDeviation, latentMean, latent);
        blocks.multiply(latent, decoder.latentIn, null, convIn.newest);
        blocks.convolve(convIn, decoder.convIn, null, levels.get(0).in);
        middle.run();
        runLevel(0, pictures);
        first = false;
    }

    @Override
    public int reach() {
        return reaches[0];
    }

    @Override
    public void recall(Tensor before) {
        for (ahead = Math.toIntExact(before.size(0)); ahead > 0; ahead--) {
            decode(before.slice(before.size(0) - ahead, 1), picture -> {});
        }
    }

    /** Nothing is to come: a picture depends on nothing behind it. */
    @Override
    public void finish(Consumer<Tensor> pictures) {}

    private void runLevel(int index, Consumer<Tensor> pictures) {
        if (ahead > reaches[1 + index]) {
            return;
        }
        LevelBlock level = levels.get(index);
        level.residuals.forEach(WanVaeBlocks.ResidualBlock::run);
        if (index == levels.size() - 1) {
            head.run();
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
        WanVaeLayers.Layer size = levels.get(index).weights.size();
        ops.upsampleConvolution(frame, size.weight(), size.bias(), levels.get(index + 1).in);
        runLevel(index + 1, pictures);
    }

    @Override
    public void close() {
        blocks.close();
    }

    /** A level's buffers. */
    private final class LevelBlock {
        private final WanVaeDecoder.Level weights;

        /** [1, height, width, channels] */
        private final Tensor in;

        /** The same tensor where the level does not change the number of channels. */
        private final Tensor out;

        private final List<WanVaeBlocks.ResidualBlock> residuals;
        private final FrameDoubling frames;

        LevelBlock(WanVaeDecoder.Level weights, long height, long width) {
            this.weights = weights;
            WanVaeConfig.DecoderLevel config = weights.config();
            in = blocks.frame(height, width, config.in());
            out = config.in() == config.out() ? in : blocks.frame(height, width, config.out());
            residuals = blocks.residuals(weights.residuals(), in, out);
            frames = config.doublesFrames() ? new FrameDoubling(weights.frames(), out) : null;
        }
    }

    /** Makes two frames of one. */
    private final class FrameDoubling {
        private final WanVaeLayers.Layer layer;
        private final NewestFrames window;
        private final Tensor doubled;
        private final Tensor doubledPixels;
        private final Tensor interleaved;
        private final List<Tensor> frames;

        FrameDoubling(WanVaeLayers.Layer layer, Tensor frame) {
            this.layer = layer;
            long height = frame.size(1);
            long width = frame.size(2);
            long channels = frame.size(3);
            window = blocks.window(height, width, channels);
            doubled = blocks.frame(height, width, 2 * channels);
            doubledPixels = doubled.reshape(1, height * width, 2 * channels);
            Tensor pair = blocks.tensor(2, height, width, channels);
            interleaved = pair.reshape(2, height * width, channels);
            frames = List.of(pair.slice(0, 1), pair.slice(1, 1));
        }

        List<Tensor> run(Tensor frame) {
            window.newest.copyFrom(frame);
            blocks.convolve(window, layer, null, doubled);
            ops.interleaveFrames(doubledPixels, interleaved);
            return frames;
        }
    }
}
