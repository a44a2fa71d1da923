package io.sanavideo.model;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import io.sanavideo.schedule.TorchRandom;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Parts of the released 480p model on random weights, ready to be run and timed over and over.
 * Closing frees everything.
 */
public final class Bench implements AutoCloseable {
    private static final String MODEL = "480p";
    private static final long SEED = 1;
    private static final double TIMESTEP = 727;

    /** Weights of a convolution over frames, rows and columns for each pair of channels. */
    private static final double VOLUME = 27;

    private final Context context;
    private final Runnable body;
    private final AutoCloseable[] parts;
    private final double operations;

    private Bench(Context context, Runnable body, double operations, AutoCloseable... parts) {
        this.context = context;
        this.body = body;
        this.operations = operations;
        this.parts = parts;
    }

    /** Runs the part once, to the end of its work on the device. */
    public void run() {
        body.run();
        context.synchronize();
    }

    /**
     * Floating point operations of one run in products, convolutions and attentions, a multiply-add
     * being two.
     */
    public double operations() {
        return operations;
    }

    /**
     * One transformer block, its keys and values of the text included.
     *
     * @param frames of the token grid
     * @param height of the token grid
     * @param width of the token grid
     * @param textTokens of the prompt
     */
    public static Bench block(
            Context context, DType compute, int frames, int height, int width, int textTokens) {
        SanaTransformer transformer =
                withComponent(
                        "transformer", folder -> SanaTransformer.load(context, folder, compute));
        TransformerConfig config = transformer.config();
        TokenGrid grid =
                TokenGrid.of(
                        config,
                        frames * config.patchFrames(),
                        height * config.patchHeight(),
                        width * config.patchWidth());
        Activations buffers = new Activations(context, config, compute, grid, false);
        TimeEmbedding.Values time = transformer.time().values(context, 1, 0);
        time.set(new double[] {TIMESTEP});
        TransformerBlock block = transformer.blocks().get(0);
        Scope scope = new Scope(context);
        Tensor caption = scope.tensor(compute, textTokens, config.width());
        caption.upload(noise(caption));
        Tensor keysValues = scope.tensor(compute, block.keysValuesShape(textTokens));
        buffers.stream.upload(noise(buffers.stream));
        return new Bench(
                context,
                () -> {
                    block.projectText(caption, keysValues, null);
                    block.forward(buffers, time, keysValues, null, null, false, null);
                },
                blockOperations(config, grid.tokens(), textTokens),
                scope,
                time,
                buffers,
                transformer);
    }

    static double blockOperations(TransformerConfig config, double tokens, double text) {
        double width = config.width();
        double crossWidth = config.crossWidth();
        double hidden = config.hidden();
        double perToken =
                4 * width * width
                        + 2 * width * crossWidth
                        + 2 * hidden * width
                        + hidden * width
                        + 3 * width * width
                        + 2 * width * config.headSize()
                        + 2 * text * crossWidth
                        + 9 * 2 * hidden;
        return 2 * (tokens * perToken + text * 2 * width * crossWidth);
    }

    /** One linear layer of so many rows and features, with bias and SiLU. */
    public static Bench product(Context context, DType compute, int rows, int in, int out) {
        Scope scope = new Scope(context);
        Weight weight = context.weight(WeightKind.LINEAR, compute, out, in);
        int blockRows = 64;
        ByteBuffer block =
                ByteBuffer.allocateDirect(blockRows * in * Float.BYTES)
                        .order(ByteOrder.nativeOrder());
        block.asFloatBuffer().put(TorchRandom.randn(SEED, (long) blockRows * in));
        for (int row = 0; row < out; row += blockRows) {
            int count = Math.min(blockRows, out - row);
            weight.pack(row, count, block.duplicate().limit(count * in * Float.BYTES), DType.F32);
        }
        Tensor input = scope.tensor(compute, rows, in);
        input.upload(noise(input));
        Tensor bias = scope.tensor(DType.F32, out);
        bias.upload(new float[out]);
        Tensor output = scope.tensor(compute, rows, out);
        Epilogue epilogue = Epilogue.bias(bias).activation(Activation.SILU);
        return new Bench(
                context,
                () -> context.ops().linear(input, weight, epilogue, output),
                2.0 * rows * in * out,
                weight,
                scope);
    }

    /** The Wan VAE's decoder on one latent frame, which makes as many frames as its factor says. */
    public static Bench vae(Context context, DType compute, int height, int width) {
        WanVaeDecoder decoder =
                withComponent("vae", folder -> WanVaeDecoder.load(context, folder, compute));
        WanVaeStream stream = new WanVaeStream(decoder, height, width);
        Scope scope = new Scope(context);
        Tensor latent =
                scope.tensor(DType.F32, 1, height, width, decoder.config().latentChannels());
        latent.upload(noise(latent));
        // The first frame of a clip is not doubled in time; all that follow are alike.
        stream.decode(latent, picture -> {});
        return new Bench(
                context,
                () -> stream.decode(latent, picture -> {}),
                vaeOperations(decoder.config(), height, width),
                scope,
                stream,
                decoder);
    }

    /** The Wan VAE's encoder on as many pictures as make a latent frame of this size. */
    public static Bench vaeEncoder(Context context, DType compute, int height, int width) {
        WanVaeEncoder encoder =
                withComponent("vae", folder -> WanVaeEncoder.load(context, folder, compute));
        WanVaeConfig config = encoder.config();
        int rows = height * config.spatialFactor();
        int columns = width * config.spatialFactor();
        EncodingStream stream = encoder.stream(rows, columns);
        Scope scope = new Scope(context);
        Tensor picture = scope.tensor(compute, rows, columns, WanVaeConfig.COLOURS);
        picture.upload(noise(picture));
        // The first picture of a clip makes a latent frame by itself.
        stream.encode(picture, latents -> {});
        Runnable group =
                () -> {
                    for (int i = 0; i < config.temporalFactor(); i++) {
                        stream.encode(picture, latents -> {});
                    }
                };
        return new Bench(
                context,
                group,
                vaeEncoderOperations(config, height, width),
                scope,
                stream,
                encoder);
    }

    /** Of a group of pictures that is not a clip's first. */
    static double vaeEncoderOperations(WanVaeConfig config, double height, double width) {
        double pixels = height * width * config.spatialFactor() * config.spatialFactor();
        double frames = config.temporalFactor();
        double width0 = config.encoderLevels().get(0).in();
        double sum = frames * pixels * VOLUME * WanVaeConfig.COLOURS * width0;
        double out = width0;
        for (WanVaeConfig.EncoderLevel level : config.encoderLevels()) {
            out = level.out();
            double shortcut = level.in() == level.out() ? 0 : level.in() * out;
            double others = 2 * config.residualBlocks() - 1;
            sum += frames * pixels * (VOLUME * (level.in() + others * out) * out + shortcut);
            if (level.halvesSize()) {
                pixels /= 4;
                sum += frames * pixels * 9 * out * out;
            }
            if (level.halvesFrames()) {
                frames /= 2;
                sum += frames * pixels * 3 * out * out;
            }
        }
        double moments = 2 * config.latentChannels();
        return 2
                * (sum
                        + pixels
                                * (4 * VOLUME * out * out
                                        + 4 * out * out
                                        + 2 * pixels * out
                                        + VOLUME * out * moments
                                        + moments * moments));
    }

    /** Of a latent frame that is not a clip's first. */
    static double vaeOperations(WanVaeConfig config, double height, double width) {
        double pixels = height * width;
        double latent = config.latentChannels();
        double middle = config.decoderLevels().get(0).in();
        double sum =
                pixels
                        * (latent * latent
                                + VOLUME * latent * middle
                                + 4 * VOLUME * middle * middle
                                + 4 * middle * middle
                                + 2 * pixels * middle);
        double out = middle;
        for (WanVaeConfig.DecoderLevel level : config.decoderLevels()) {
            out = level.out();
            double shortcut = level.in() == level.out() ? 0 : level.in() * out;
            double others = 2 * config.residualBlocks() + 1;
            sum += pixels * (VOLUME * (level.in() + others * out) * out + shortcut);
            if (level.doublesFrames()) {
                sum += pixels * 3 * out * 2 * out;
                pixels *= 2;
            }
            if (level.doublesSize()) {
                pixels *= 4;
                sum += pixels * 9 * out * out / 2;
            }
        }
        return 2 * (sum + pixels * VOLUME * out * WanVaeConfig.COLOURS);
    }

    private static float[] noise(Tensor tensor) {
        return TorchRandom.randn(SEED, tensor.elements());
    }

    private interface Loader<T> {
        T load(Path folder);
    }

    private static <T> T withComponent(String component, Loader<T> loader) {
        try {
            Path folder = Files.createTempDirectory("sana-video-bench");
            try {
                return loader.load(
                        RandomModel.builtIn(MODEL, 1).writeComponent(component, folder, SEED));
            } finally {
                delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Override
    public void close() {
        try {
            for (AutoCloseable part : parts) {
                part.close();
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
