package io.sanavideo.model;

import io.sanavideo.ModelFormatException;
import io.sanavideo.model.LtxVaeLayers.Convolution;
import io.sanavideo.model.LtxVaeLayers.Level;
import io.sanavideo.model.LtxVaeLayers.Residual;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The encoder of an LTX-2 video VAE (diffusers, AutoencoderKLLTX2Video): weights on a device,
 * packed once. An {@link LtxVaeEncodingStream} encodes a clip with them, one picture at a time.
 */
public final class LtxVaeEncoder extends LoadedVae<LtxVaeConfig> implements VaeEncoder {
    /** By channel, on the host: what latents are scaled with is made of them. */
    final float[] latentMean;

    final float[] latentDeviation;
    final Convolution convIn;
    final List<Level> levels = new ArrayList<>();
    final List<Residual> middle;

    /** Of the last convolution the means; what follows them is the logarithm of a variance. */
    final Convolution meanOut;

    private LtxVaeEncoder(LtxVaeConfig config, NamedWeights weights) {
        super(config, weights);
        LtxVaeConfig.Side side = config.encoder();
        latentMean = weights.vector(LtxVaeTensors.MEAN).toFloats();
        latentDeviation = weights.vector(LtxVaeTensors.DEVIATION).toFloats();
        convIn = Convolution.load(weights, "encoder.conv_in");
        for (int i = 0; i < side.levels().size(); i++) {
            LtxVaeConfig.Level level = side.levels().get(i);
            levels.add(
                    new Level(
                            level,
                            Residual.load(
                                    weights, LtxVaeTensors.encoderLevel(i), level.residuals()),
                            Convolution.load(weights, LtxVaeTensors.downsampler(i))));
        }
        middle = Residual.load(weights, LtxVaeTensors.middle("encoder"), side.middle());
        meanOut = Convolution.load(weights, "encoder.conv_out", config.latentChannels());
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
    public static LtxVaeEncoder load(Context context, Path folder, DType compute) {
        return LtxVaeConfig.read(folder).loadEncoder(context, folder, compute, bytes -> {});
    }

    /** As the other; {@code progress} is told the bytes of each part that was loaded. */
    static LtxVaeEncoder load(
            LtxVaeConfig config,
            Context context,
            Path folder,
            DType compute,
            LongConsumer progress) {
        LtxVaeEncoder encoder =
                NamedWeights.load(
                        context,
                        folder,
                        compute,
                        progress,
                        checkpoint -> LtxVaeTensors.of(config),
                        weights -> new LtxVaeEncoder(config, weights));
        try {
            encoder.requireDeviations(folder);
            return encoder;
        } catch (Throwable e) {
            encoder.close();
            throw e;
        }
    }

    private void requireDeviations(Path folder) {
        for (int i = 0; i < latentDeviation.length && !context().isDry(); i++) {
            if (!(latentDeviation[i] > 0)) {
                throw new ModelFormatException(
                        "%s: element %d of tensor '%s' is %s, expected numbers above 0"
                                .formatted(folder, i, LtxVaeTensors.DEVIATION, latentDeviation[i]));
            }
        }
    }

    @Override
    public LtxVaeEncodingStream stream(int height, int width) {
        return new LtxVaeEncodingStream(this, height, width);
    }
}
