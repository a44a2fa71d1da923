package io.sanavideo.model;

import io.sanavideo.model.WanVaeLayers.Head;
import io.sanavideo.model.WanVaeLayers.Layer;
import io.sanavideo.model.WanVaeLayers.Middle;
import io.sanavideo.model.WanVaeLayers.Residual;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.WeightKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The encoder of the Wan 2.1 VAE (diffusers, AutoencoderKLWan): weights on a device, packed once. A
 * {@link WanEncodingStream} encodes a clip with them, one picture at a time.
 */
public final class WanVaeEncoder extends LoadedVae<WanVaeConfig> implements VaeEncoder {
    /** A level: its residual blocks, then the halving of size and of frames where it has one. */
    record Level(
            WanVaeConfig.EncoderLevel config, List<Residual> residuals, Layer size, Layer frames) {
        static Level load(NamedWeights weights, WanVaeConfig config, int index) {
            WanVaeConfig.EncoderLevel level = config.encoderLevels().get(index);
            List<Residual> residuals = new ArrayList<>();
            for (int i = 0; i < config.residualBlocks(); i++) {
                residuals.add(Residual.load(weights, WanVaeTensors.encoderBlock(config, index, i)));
            }
            String downsampler = WanVaeTensors.encoderBlock(config, index, config.residualBlocks());
            return new Level(
                    level,
                    residuals,
                    level.halvesSize()
                            ? Layer.load(
                                    weights, WeightKind.CONVOLUTION, downsampler + ".resample.1")
                            : null,
                    level.halvesFrames()
                            ? Layer.load(
                                    weights, WeightKind.CONVOLUTION, downsampler + ".time_conv")
                            : null);
        }
    }

    final Layer convIn;
    final List<Level> levels = new ArrayList<>();
    final Middle middle;
    final Head head;

    /** To mean and logarithm of the variance. */
    final Layer moments;

    private WanVaeEncoder(WanVaeConfig config, NamedWeights weights) {
        super(config, weights);
        convIn = Layer.load(weights, WeightKind.CONVOLUTION, "encoder.conv_in");
        for (int i = 0; i < config.encoderLevels().size(); i++) {
            levels.add(Level.load(weights, config, i));
        }
        middle = Middle.load(weights, "encoder.mid_block");
        head = Head.load(weights, "encoder");
        moments = Layer.load(weights, WeightKind.LINEAR, "quant_conv");
    }

    /**
     * Loads a component folder: {@code config.json} and its weights, of which the decoder's are
     * left in the file.
     *
     * @param compute F32 or BF16
     * @throws io.sanavideo.ModelFormatException when a file is broken or not supported
     * @throws io.sanavideo.NumericsException when a weight is NaN or infinite
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public static WanVaeEncoder load(Context context, Path folder, DType compute) {
        return WanVaeConfig.read(folder).loadEncoder(context, folder, compute, bytes -> {});
    }

    /** As the other; {@code progress} is told the bytes of each part that was loaded. */
    static WanVaeEncoder load(
            WanVaeConfig config,
            Context context,
            Path folder,
            DType compute,
            LongConsumer progress) {
        return NamedWeights.load(
                context,
                folder,
                compute,
                progress,
                checkpoint -> WanVaeTensors.of(config),
                weights -> new WanVaeEncoder(config, weights));
    }

    @Override
    public WanEncodingStream stream(int height, int width) {
        return new WanEncodingStream(this, height, width);
    }
}
