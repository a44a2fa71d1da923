package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The decoder of the Wan 2.1 VAE (diffusers, AutoencoderKLWan): weights on a device, packed once. A
 * {@link WanVaeStream} decodes a clip with them, one latent frame at a time.
 */
public final class WanVaeDecoder implements VaeDecoder {
    /** A convolution or 1x1 product with its bias. */
    record Layer(Weight weight, Tensor bias) {
        static Layer load(NamedWeights weights, WeightKind kind, String name) {
            return new Layer(
                    weights.weight(kind, name + ".weight"), weights.vector(name + ".bias"));
        }
    }

    /** A residual block; without a shortcut its input is added as it is. */
    record Residual(Tensor norm1, Layer conv1, Tensor norm2, Layer conv2, Layer shortcut) {
        static Residual load(NamedWeights weights, String name, boolean hasShortcut) {
            return new Residual(
                    weights.norm(name + ".norm1.gamma"),
                    Layer.load(weights, WeightKind.CONVOLUTION, name + ".conv1"),
                    weights.norm(name + ".norm2.gamma"),
                    Layer.load(weights, WeightKind.CONVOLUTION, name + ".conv2"),
                    hasShortcut
                            ? Layer.load(weights, WeightKind.LINEAR, name + ".conv_shortcut")
                            : null);
        }
    }

    /** The middle block's attention inside a frame. */
    record Attention(Tensor norm, Layer qkv, Layer out) {
        static Attention load(NamedWeights weights, String name) {
            return new Attention(
                    weights.norm(name + ".norm.gamma"),
                    Layer.load(weights, WeightKind.LINEAR, name + ".to_qkv"),
                    Layer.load(weights, WeightKind.LINEAR, name + ".proj"));
        }
    }

    /** A level: its residual blocks, then the doubling of frames and of size where it has one. */
    record Level(WanVaeConfig.Level config, List<Residual> residuals, Layer frames, Layer size) {
        static Level load(NamedWeights weights, WanVaeConfig config, int index) {
            WanVaeConfig.Level level = config.decoderLevels().get(index);
            String name = WanVaeTensors.decoderBlock(index);
            List<Residual> residuals = new ArrayList<>();
            for (int i = 0; i <= config.residualBlocks(); i++) {
                boolean hasShortcut = i == 0 && level.in() != level.out();
                residuals.add(Residual.load(weights, name + "resnets." + i, hasShortcut));
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

    private final WanVaeConfig config;
    private final NamedWeights weights;
    final Layer latentIn;
    final Layer convIn;
    final Residual middleFirst;
    final Attention middleAttention;
    final Residual middleLast;
    final List<Level> levels = new ArrayList<>();
    final Tensor normOut;
    final Layer convOut;

    private WanVaeDecoder(WanVaeConfig config, NamedWeights weights) {
        this.config = config;
        this.weights = weights;
        latentIn = Layer.load(weights, WeightKind.LINEAR, "post_quant_conv");
        convIn = Layer.load(weights, WeightKind.CONVOLUTION, "decoder.conv_in");
        String middle = "decoder.mid_block.";
        middleFirst = Residual.load(weights, middle + "resnets.0", false);
        middleAttention = Attention.load(weights, middle + "attentions.0");
        middleLast = Residual.load(weights, middle + "resnets.1", false);
        for (int i = 0; i < config.decoderLevels().size(); i++) {
            levels.add(Level.load(weights, config, i));
        }
        normOut = weights.norm("decoder.norm_out.gamma");
        convOut = Layer.load(weights, WeightKind.CONVOLUTION, "decoder.conv_out");
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
        return load(context, folder, compute, bytes -> {});
    }

    /** As the other; {@code progress} is told the bytes of each part that was loaded. */
    public static WanVaeDecoder load(
            Context context, Path folder, DType compute, LongConsumer progress) {
        WanVaeConfig config = WanVaeConfig.of(Json.read(folder.resolve("config.json")));
        return NamedWeights.load(
                context,
                folder,
                compute,
                progress,
                checkpoint -> WanVaeTensors.of(config),
                weights -> new WanVaeDecoder(config, weights));
    }

    public WanVaeConfig config() {
        return config;
    }

    @Override
    public Context context() {
        return weights.context();
    }

    @Override
    public DType compute() {
        return weights.compute();
    }

    @Override
    public WanVaeStream stream(int height, int width) {
        return new WanVaeStream(this, height, width);
    }

    @Override
    public void close() {
        weights.close();
    }
}
