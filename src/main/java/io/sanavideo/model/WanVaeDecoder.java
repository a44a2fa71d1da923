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
 * The decoder of the Wan 2.1 VAE (diffusers, AutoencoderKLWan): weights on a device, packed once. A
 * {@link WanVaeStream} decodes a clip with them, one latent frame at a time.
 */
public final class WanVaeDecoder extends LoadedVae<WanVaeConfig> implements VaeDecoder {
    /** A level: its residual blocks, then the doubling of frames and of size where it has one. */
    record Level(
            WanVaeConfig.DecoderLevel config, List<Residual> residuals, Layer frames, Layer size) {
        static Level load(NamedWeights weights, WanVaeConfig config, int index) {
            WanVaeConfig.DecoderLevel level = config.decoderLevels().get(index);
            String name = WanVaeTensors.decoderBlock(index);
            List<Residual> residuals = new ArrayList<>();
            for (int i = 0; i <= config.residualBlocks(); i++) {
                residuals.add(Residual.load(weights, name + "resnets." + i));
            }
            String upsampler = name + "upsamplers.0.";
            return new Level(
                    level,
                    residuals,
                    level.doublesFrames()
                            ? Layer.load(weights, WeightKind.CONVOLUTION, upsampler + "time_conv")
                            : null,
                    level.doublesSize()
                            ? Layer.load(weights, WeightKind.UPSAMPLE, upsampler + "resample.1")
                            : null);
        }
    }

    final Layer latentIn;
    final Layer convIn;
    final Middle middle;
    final List<Level> levels = new ArrayList<>();
    final Head head;

    private WanVaeDecoder(WanVaeConfig config, NamedWeights weights) {
        super(config, weights);
        latentIn = Layer.load(weights, WeightKind.LINEAR, "post_quant_conv");
        convIn = Layer.load(weights, WeightKind.CONVOLUTION, "decoder.conv_in");
        middle = Middle.load(weights, "decoder.mid_block");
        for (int i = 0; i < config.decoderLevels().size(); i++) {
            levels.add(Level.load(weights, config, i));
        }
        head = Head.load(weights, "decoder");
    }

    /**
     * Loads a component folder: {@code config.json} and its weights, of which the encoder's are
     * left in the file.
     *
     * @param compute F32 or BF16
     * @throws io.sanavideo.ModelFormatException when a file is broken or not supported
     * @throws io.sanavideo.NumericsException when a weight is NaN or infinite
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public static WanVaeDecoder load(Context context, Path folder, DType compute) {
        return WanVaeConfig.read(folder).loadDecoder(context, folder, compute, bytes -> {});
    }

    /** As the other; {@code progress} is told the bytes of each part that was loaded. */
    static WanVaeDecoder load(
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
                weights -> new WanVaeDecoder(config, weights));
    }

    @Override
    public WanVaeStream stream(int height, int width) {
        return new WanVaeStream(this, height, width);
    }
}
