package io.sanavideo.model;

import io.sanavideo.model.LtxVaeLayers.Convolution;
import io.sanavideo.model.LtxVaeLayers.Level;
import io.sanavideo.model.LtxVaeLayers.Residual;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The decoder of an LTX-2 video VAE (diffusers, AutoencoderKLLTX2Video): weights on a device,
 * packed once. An {@link LtxVaeStream} decodes a clip with them, one latent frame at a time.
 */
public final class LtxVaeDecoder extends LoadedVae<LtxVaeConfig> implements VaeDecoder {
    final Tensor latentMean;
    final Tensor latentDeviation;
    final Convolution convIn;
    final List<Residual> middle;
    final List<Level> levels = new ArrayList<>();
    final Convolution convOut;

    private LtxVaeDecoder(LtxVaeConfig config, NamedWeights weights) {
        super(config, weights);
        LtxVaeConfig.Side side = config.decoder();
        latentMean = weights.vector(LtxVaeTensors.MEAN);
        latentDeviation = weights.vector(LtxVaeTensors.DEVIATION);
        convIn = Convolution.load(weights, "decoder.conv_in");
        middle = Residual.load(weights, LtxVaeTensors.middle("decoder"), side.middle());
        for (int i = 0; i < side.levels().size(); i++) {
            LtxVaeConfig.Level level = side.levels().get(i);
            levels.add(
                    new Level(
                            level,
                            Residual.load(
                                    weights, LtxVaeTensors.decoderLevel(i), level.residuals()),
                            Convolution.load(weights, LtxVaeTensors.upsampler(i))));
        }
        convOut = Convolution.load(weights, "decoder.conv_out");
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
    public static LtxVaeDecoder load(Context context, Path folder, DType compute) {
        return LtxVaeConfig.read(folder).loadDecoder(context, folder, compute, bytes -> {});
    }

    /** As the other; {@code progress} is told the bytes of each part that was loaded. */
    static LtxVaeDecoder load(
            LtxVaeConfig config,
            Context context,
            Path folder,
            DType compute,
            LongConsumer progress) {
        return NamedWeights.load(
                context,
                folder,
                compute,
                progress,
                checkpoint -> LtxVaeTensors.of(config),
                weights -> new LtxVaeDecoder(config, weights));
    }

    @Override
    public LtxVaeStream stream(int height, int width) {
        return new LtxVaeStream(this, height, width);
    }
}
