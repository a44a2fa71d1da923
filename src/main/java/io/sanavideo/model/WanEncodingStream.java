package io.sanavideo.model;

import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Encodes one clip as a stream. A picture goes through the encoder as far as it gets: a level that
 * halves frames holds every second one back until the next has come, so that the first picture
 * makes a latent frame, and then the last one of each group. What comes out equals encoding the
 * clip as a whole, and memory does not depend on its length: about 3 input frames for each
 * convolution over time, mostly those of the first level (4 convolutions of 3 * 96 channels at
 * 480x832: 1.8 GB in f32, 0.9 GB in bf16).
 *
 * <p>Not safe for use by several threads.
 */
public final class WanEncodingStream implements EncodingStream {
    private final WanVaeEncoder encoder;
    private final Ops ops;
    private final WanVaeBlocks blocks;
    private final NewestFrames convIn;
    private final Tensor pictureIn;
    private final List<LevelBlock> levels = new ArrayList<>();
    private final WanVaeBlocks.MiddleBlock middle;
    private final WanVaeBlocks.HeadBlock head;
    private final Tensor encoded;
    private final Tensor moments;
    private final Tensor momentPixels;
    private final Tensor halves;
    private final Tensor mean;
    private final Tensor logVariance;
    private final Tensor factors;
    private final Tensor terms;
    private final Tensor latent;
    private final PictureCount pictures;

    /**
     * @param height rows of a picture, a multiple of the VAE's spatial factor
     * @param width columns of a picture, a multiple of it as well
     * @throws IllegalArgumentException when the size is not such
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    WanEncodingStream(WanVaeEncoder encoder, int height, int width) {
        this.encoder = encoder;
        WanVaeConfig config = encoder.config();
        config.requirePicture(height, width);
        pictures = new PictureCount(config.temporalFactor());
        ops = encoder.context().ops();
        blocks = new WanVaeBlocks(encoder.context(), encoder.compute());
        try {
            convIn = blocks.window(height, width, WanVaeConfig.COLOURS);
            pictureIn = convIn.newest.reshape(height, width, WanVaeConfig.COLOURS);
            long rows = height;
            long columns = width;
            for (WanVaeEncoder.Level level : encoder.levels) {
                levels.add(new LevelBlock(level, rows, columns));
                rows /= level.config().halvesSize() ? 2 : 1;
                columns /= level.config().halvesSize() ? 2 : 1;
            }
            Tensor last = levels.get(levels.size() - 1).out;
            middle = blocks.middle(encoder.middle, last);
            int channels = config.latentChannels();
            encoded = blocks.frame(rows, columns, 2L * channels);
            head = blocks.head(encoder.head, last, encoded);
            moments = blocks.frame(rows, columns, 2L * channels);
            momentPixels = moments.reshape(1, rows * columns, 2L * channels);
            Tensor both = blocks.tensor(2, rows, columns, channels);
            halves = both.reshape(2, rows * columns, channels);
            mean = both.slice(0, 1);
            logVariance = both.slice(1, 1);
            factors = blocks.channels(LatentNormalisation.factors(config.latentDeviation()));
            terms =
                    blocks.channels(
                            LatentNormalisation.terms(
                                    config.latentMean(), config.latentDeviation()));
            latent = blocks.floats(1, rows, columns, channels);
        } catch (Throwable e) {
            blocks.close();
            throw e;
        }
    }

    @Override
    public void encode(Tensor picture, Consumer<Tensor> latents) {
        requireShape(picture);
        pictures.add();
        pictureIn.copyFrom(picture);
        blocks.convolve(convIn, encoder.convIn, null, levels.get(0).in);
        for (int i = 0; i < levels.size(); i++) {
            levels.get(i).residuals.forEach(WanVaeBlocks.ResidualBlock::run);
            if (i < levels.size() - 1 && !levels.get(i).runInto(levels.get(i + 1).in)) {
                return;
            }
        }
        middle.run();
        head.run();
        blocks.multiply(encoded, encoder.moments, null, moments);
        ops.interleaveFrames(momentPixels, halves);
        ops.scaleChannels(mean, factors, terms, latent);
        latents.accept(latent);
    }

    private void requireShape(Tensor picture) {
        boolean fits = picture.shape().length == 3;
        for (int i = 0; fits && i < 3; i++) {
            fits = picture.size(i) == pictureIn.size(i);
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "the picture is %s, expected %s".formatted(picture, pictureIn));
        }
    }

    /** Nothing is to come of a whole clip. */
    @Override
    public void finish(Consumer<Tensor> latents) {
        pictures.end();
    }

    /** Of the latest latent frame, [1, rows, columns, latentChannels] of the compute dtype. */
    Tensor mean() {
        return mean;
    }

    /** As the mean: the logarithm of the variance that the encoder predicts. */
    Tensor logVariance() {
        return logVariance;
    }

    @Override
    public void close() {
        blocks.close();
    }

    /** A level's buffers. */
    private final class LevelBlock {
        private final WanVaeEncoder.Level weights;

        /** [1, height, width, channels] */
        private final Tensor in;

        /** The same tensor where the level does not change the number of channels. */
        private final Tensor out;

        private final List<WanVaeBlocks.ResidualBlock> residuals;

        /** The newest frames at half the size, where the level halves their number. */
        private final NewestFrames halved;

        private long frames;

        LevelBlock(WanVaeEncoder.Level weights, long height, long width) {
            this.weights = weights;
            WanVaeConfig.EncoderLevel config = weights.config();
            in = blocks.frame(height, width, config.in());
            out = config.in() == config.out() ? in : blocks.frame(height, width, config.out());
            residuals = blocks.residuals(weights.residuals(), in, out);
            halved =
                    config.halvesFrames()
                            ? blocks.window(height / 2, width / 2, config.out())
                            : null;
        }

        /**
         * Makes the next level's frame of this one's. Returns false when it wants another first.
         */
        boolean runInto(Tensor next) {
            WanVaeLayers.Layer size = weights.size();
            Tensor smaller = halved == null ? next : halved.newest;
            ops.downsampleConvolution(out, size.weight(), size.bias(), smaller);
            if (halved == null) {
                return true;
            }
            long index = frames++;
            if (index > 0 && index % 2 == 0) {
                blocks.convolve(halved, weights.frames(), null, next);
                return true;
            }
            if (index == 0) {
                // The clip's first frame stays as it is.
                next.copyFrom(smaller);
            }
            halved.advance();
            return index == 0;
        }
    }
}
