package io.sanavideo.model;

import io.sanavideo.runtime.Block;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Padding;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The {@code config.json} of an LTX-2 video VAE (diffusers, AutoencoderKLLTX2Video): the VAE of the
 * 720p model.
 *
 * @param latentChannels channels of the latent
 * @param patch height and width of the patches of pixels at either end
 * @param encoder from patches of pixels to the latent
 * @param decoder from the latent to patches of pixels
 */
public record LtxVaeConfig(int latentChannels, int patch, Side encoder, Side decoder)
        implements VaeConfig {
    /** {@code _class_name} of its config. */
    public static final String CLASS = "AutoencoderKLLTX2Video";

    /** Channels of a picture. */
    static final int COLOURS = 3;

    /**
     * One way through the VAE.
     *
     * @param width channels behind its first convolution
     * @param middle residual blocks at the latent's size
     * @param levels in the order in which frames pass them
     * @param causal whether convolutions look at the past alone, else one frame ahead as well
     * @param padding what they read outside of a frame
     */
    record Side(int width, int middle, List<Level> levels, boolean causal, Padding padding) {
        Side {
            levels = List.copyOf(levels);
        }

        /** Channels in front of its last convolution. */
        int lastWidth() {
            return levels.get(levels.size() - 1).out();
        }

        /** Throws when a latent of this size cannot be mirrored about its outermost pixels. */
        void requireLatent(int height, int width, int factor) {
            if (padding == Padding.REFLECT && Math.min(height, width) < 2) {
                throw new IllegalArgumentException(
                        "pictures of %dx%d pixels are too small, expected at least %d a side for the reflected edges of this VAE"
                                .formatted(width * factor, height * factor, 2 * factor));
            }
        }
    }

    /**
     * A level: residual blocks, and a step to the next size, behind them in the encoder, in front
     * of them in the decoder.
     *
     * @param in channels that come in
     * @param out channels that go out
     * @param residuals number of residual blocks
     * @param block pixels that the encoder makes one of, or the decoder makes of one
     * @param skips whether the rearranged input is added to the step's output
     */
    record Level(int in, int out, int residuals, Block block, boolean skips) {
        /** Channels of the encoder's convolution, whose pixels are gathered then. */
        int reduced() {
            return out / block.size();
        }

        /** Channels of the decoder's convolution, which are spread over pixels then. */
        int widened() {
            return out * block.size();
        }
    }

    /** Reads that of a component folder. */
    static LtxVaeConfig read(Path folder) {
        return of(Json.read(folder.resolve("config.json")));
    }

    /**
     * Reads a config.
     *
     * @throws io.sanavideo.ModelFormatException naming key, value and what is supported
     */
    public static LtxVaeConfig of(Json json) {
        if (!json.requiredText("_class_name").equals(CLASS)) {
            throw json.unexpected("_class_name", CLASS);
        }
        refuseUnsupported(json);
        int latentChannels = json.requiredInt("latent_channels", 1);
        LtxVaeConfig config =
                new LtxVaeConfig(
                        latentChannels,
                        json.requiredInt("patch_size", 1, 8),
                        encoder(json, latentChannels),
                        decoder(json));
        requireSameFactors(json, config);
        requireFactor(json, "spatial_compression_ratio", config.spatialFactor());
        requireFactor(json, "temporal_compression_ratio", config.temporalFactor());
        return config;
    }

    private static void refuseUnsupported(Json json) {
        if (json.requiredBoolean("timestep_conditioning")) {
            throw json.unexpected("timestep_conditioning", "false");
        }
        requireAll(json, "decoder_inject_noise", false);
        requireAll(json, "spatio_temporal_scaling", true);
        requireAll(json, "decoder_spatio_temporal_scaling", true);
        if (json.requiredInt("patch_size_t", 1) != 1) {
            throw json.unexpected("patch_size_t", "1: patches of a single frame");
        }
        for (String key : List.of("in_channels", "out_channels")) {
            if (json.requiredInt(key, 1) != COLOURS) {
                throw json.unexpected(key, "3: red, green, blue");
            }
        }
    }

    private static void requireAll(Json json, String key, boolean expected) {
        for (boolean value : json.requiredBooleans(key)) {
            if (value != expected) {
                throw json.unexpected(key, "only " + expected);
            }
        }
    }

    private static Side encoder(Json json, int latentChannels) {
        int[] widths = widths(json, "block_out_channels");
        int[] layers = ints(json, "layers_per_block", widths.length + 1);
        String[] types = texts(json, "downsample_type", widths.length);
        List<Level> levels = new ArrayList<>();
        int in = latentChannels;
        for (int i = 0; i < widths.length; i++) {
            Block block = block(json, "downsample_type", types[i]);
            Level level = new Level(in, widths[i], layers[i], block, true);
            boolean divides = widths[i] % block.size() == 0;
            if (!divides || in % level.reduced() != 0) {
                throw json.unexpected(
                        "block_out_channels",
                        "multiples of the %d pixels that level %d gathers, a whole number of its %d channels going into each"
                                .formatted(block.size(), i, in));
            }
            levels.add(level);
            in = widths[i];
        }
        return new Side(
                latentChannels,
                layers[widths.length],
                levels,
                json.optionalBoolean("encoder_causal", true),
                padding(json, "encoder_spatial_padding_mode", "zeros"));
    }

    /**
     * The decoder's lists go from full size down, as the encoder's do, and the decoder goes up; the
     * types alone are in its own order.
     */
    private static Side decoder(Json json) {
        int[] widths = widths(json, "decoder_block_out_channels");
        int[] layers = ints(json, "decoder_layers_per_block", widths.length + 1);
        int[] factors = ints(json, "upsample_factor", widths.length);
        boolean[] skips = json.requiredBooleans("upsample_residual");
        if (skips.length != widths.length) {
            throw json.unexpected("upsample_residual", "an array of " + widths.length);
        }
        String[] types = texts(json, "upsample_type", widths.length);
        int last = widths.length - 1;
        List<Level> levels = new ArrayList<>();
        int in = widths[last];
        for (int i = 0; i <= last; i++) {
            if (widths[last - i] != in) {
                throw json.unexpected(
                        "decoder_block_out_channels",
                        "%d in place of %d, the %d of the level below divided by its upsample_factor"
                                .formatted(in, widths[last - i], widths[last - i + 1]));
            }
            int factor = factors[last - i];
            Block block = block(json, "upsample_type", types[i]);
            boolean skipFits =
                    !skips[last - i] || in % block.size() == 0 && block.size() % factor == 0;
            if (in % factor != 0 || !skipFits) {
                throw json.unexpected(
                        "upsample_factor",
                        "divisors of the channels (%d at level %d), and with upsample_residual of the %d pixels that one becomes"
                                .formatted(in, last - i, block.size()));
            }
            levels.add(new Level(in, in / factor, layers[last - i], block, skips[last - i]));
            in /= factor;
        }
        return new Side(
                widths[last],
                layers[widths.length],
                levels,
                json.optionalBoolean("decoder_causal", true),
                padding(json, "decoder_spatial_padding_mode", "reflect"));
    }

    private static int[] widths(Json json, String key) {
        int[] values = json.requiredInts(key, 1);
        if (values.length < 1 || values.length > TensorList.MOST_LEVELS) {
            throw json.unexpected(key, "1 to %d levels".formatted(TensorList.MOST_LEVELS));
        }
        return values;
    }

    private static int[] ints(Json json, String key, int length) {
        int[] values = json.requiredInts(key, 1, TensorList.MOST_LAYERS);
        if (values.length != length) {
            throw json.unexpected(key, "an array of " + length);
        }
        return values;
    }

    private static String[] texts(Json json, String key, int length) {
        String[] values = json.requiredTexts(key);
        if (values.length != length) {
            throw json.unexpected(key, "an array of " + length);
        }
        return values;
    }

    private static Block block(Json json, String key, String type) {
        return switch (type) {
            case "spatial" -> new Block(1, 2, 2);
            case "temporal" -> new Block(2, 1, 1);
            case "spatiotemporal" -> new Block(2, 2, 2);
            default -> throw json.unexpected(key, "spatial, temporal or spatiotemporal");
        };
    }

    private static Padding padding(Json json, String key, String fallback) {
        return switch (json.optionalText(key, fallback)) {
            case "zeros" -> Padding.ZEROS;
            case "reflect" -> Padding.REFLECT;
            default -> throw json.unexpected(key, "zeros or reflect");
        };
    }

    private static void requireSameFactors(Json json, LtxVaeConfig config) {
        Block up = whole(config.decoder);
        Block down = whole(config.encoder);
        if (!up.equals(down)) {
            throw json.unexpected(
                    "upsample_type",
                    "types that double height, width and frames as often as downsample_type halves them");
        }
    }

    private static void requireFactor(Json json, String key, int factor) {
        if (json.optionalInt(key, 1, factor) != factor) {
            throw json.unexpected(key, factor + " as patch_size and downsample_type make it");
        }
    }

    /** The block of pixels of the largest level that one pixel of the smallest stands for. */
    private static Block whole(Side side) {
        int frames = 1;
        int height = 1;
        int width = 1;
        for (Level level : side.levels) {
            frames *= level.block.frames();
            height *= level.block.height();
            width *= level.block.width();
        }
        return new Block(frames, height, width);
    }

    @Override
    public int spatialFactor() {
        return patch * whole(encoder).height();
    }

    /** A latent of a single row or column cannot be mirrored about its edges. */
    @Override
    public int leastSize() {
        return decoder.padding == Padding.REFLECT ? 2 * spatialFactor() : spatialFactor();
    }

    @Override
    public int temporalFactor() {
        return whole(encoder).frames();
    }

    /** Patches of pixels: of their places columns come before rows. */
    Block pixels() {
        return new Block(1, patch, patch, Block.Order.FRAME_COLUMN_ROW);
    }

    @Override
    public LtxVaeDecoder loadDecoder(
            Context context, Path folder, DType compute, LongConsumer progress) {
        return LtxVaeDecoder.load(this, context, folder, compute, progress);
    }

    @Override
    public LtxVaeEncoder loadEncoder(
            Context context, Path folder, DType compute, LongConsumer progress) {
        return LtxVaeEncoder.load(this, context, folder, compute, progress);
    }
}
