package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The Wan VAE's {@code config.json}.
 *
 * @param latentChannels channels of the latent
 * @param encoderWidth channels of the encoder at full size
 * @param decoderWidth channels of the decoder at full size
 * @param widthFactors for each level from full size down, channels as a multiple of the width
 * @param residualBlocks residual blocks of a level in the encoder; the decoder has one more
 * @param halvesFrames for each step from a level to the next whether it halves the frames too
 * @param latentMean by channel
 * @param latentDeviation by channel: a normalised latent is (latent - mean) / deviation
 */
public record WanVaeConfig(
        int latentChannels,
        int encoderWidth,
        int decoderWidth,
        List<Integer> widthFactors,
        int residualBlocks,
        List<Boolean> halvesFrames,
        float[] latentMean,
        float[] latentDeviation)
        implements VaeConfig {
    /** {@code _class_name} of its config. */
    public static final String CLASS = "AutoencoderKLWan";

    /** Channels of a picture. */
    static final int COLOURS = 3;

    public WanVaeConfig {
        widthFactors = List.copyOf(widthFactors);
        halvesFrames = List.copyOf(halvesFrames);
    }

    /** Reads that of a component folder. */
    static WanVaeConfig read(Path folder) {
        return of(Json.read(folder.resolve("config.json")));
    }

    /**
     * Reads a config.
     *
     * @throws io.sanavideo.ModelFormatException naming key, value and what is supported
     */
    public static WanVaeConfig of(Json json) {
        if (!json.requiredText("_class_name").equals(CLASS)) {
            throw json.unexpected("_class_name", CLASS);
        }
        refuseUnsupported(json);
        int latentChannels = json.requiredInt("z_dim", 1);
        int width = json.requiredInt("base_dim", 1);
        int[] factors = json.requiredInts("dim_mult", 1);
        boolean[] halves = json.requiredBooleans("temperal_downsample");
        if (factors.length < 1 || factors.length > TensorList.MOST_LEVELS) {
            throw json.unexpected("dim_mult", "1 to %d levels".formatted(TensorList.MOST_LEVELS));
        }
        if (halves.length != factors.length - 1) {
            throw json.unexpected("temperal_downsample", "one entry less than dim_mult");
        }
        List<Boolean> halvesFrames = new ArrayList<>();
        for (boolean value : halves) {
            halvesFrames.add(value);
        }
        WanVaeConfig config =
                new WanVaeConfig(
                        latentChannels,
                        width,
                        json.optionalInt("decoder_base_dim", 1, width),
                        Arrays.stream(factors).boxed().toList(),
                        json.requiredInt("num_res_blocks", 1, TensorList.MOST_LAYERS),
                        halvesFrames,
                        channels(json, "latents_mean", latentChannels),
                        channels(json, "latents_std", latentChannels));
        for (float deviation : config.latentDeviation) {
            if (deviation <= 0) {
                throw json.unexpected("latents_std", "numbers above 0");
            }
        }
        requireScale(json, "scale_factor_spatial", config.spatialFactor());
        requireScale(json, "scale_factor_temporal", config.temporalFactor());
        return config;
    }

    private static void refuseUnsupported(Json json) {
        if (json.has("attn_scales") && json.node().get("attn_scales").size() != 0) {
            throw json.unexpected("attn_scales", "[]: attention in the middle block alone");
        }
        if (json.optionalBoolean("is_residual", false)) {
            throw json.unexpected("is_residual", "false: the Wan 2.1 VAE");
        }
        if (json.has("patch_size")) {
            throw json.unexpected("patch_size", "null: the Wan 2.1 VAE");
        }
        for (String key : List.of("in_channels", "out_channels")) {
            if (json.optionalInt(key, 1, COLOURS) != COLOURS) {
                throw json.unexpected(key, "3: red, green, blue");
            }
        }
    }

    private static float[] channels(Json json, String key, int count) {
        double[] values = json.requiredDoubles(key);
        if (values.length != count) {
            throw json.unexpected(key, "one number for each of the " + count + " of z_dim");
        }
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private static void requireScale(Json json, String key, int factor) {
        if (json.optionalInt(key, 1, factor) != factor) {
            throw json.unexpected(key, factor + " as dim_mult and temperal_downsample make it");
        }
    }

    @Override
    public WanVaeDecoder loadDecoder(
            Context context, Path folder, DType compute, LongConsumer progress) {
        return WanVaeDecoder.load(this, context, folder, compute, progress);
    }

    @Override
    public WanVaeEncoder loadEncoder(
            Context context, Path folder, DType compute, LongConsumer progress) {
        return WanVaeEncoder.load(this, context, folder, compute, progress);
    }

    @Override
    public int spatialFactor() {
        return 1 << halvesFrames.size();
    }

    @Override
    public int temporalFactor() {
        return 1 << halvesFrames.stream().filter(halves -> halves).count();
    }

    /** Levels of the encoder, from the picture's size down to the latent's. */
    List<EncoderLevel> encoderLevels() {
        int count = widthFactors.size();
        List<EncoderLevel> levels = new ArrayList<>();
        int in = encoderWidth;
        for (int i = 0; i < count; i++) {
            int out = encoderWidth * widthFactors.get(i);
            boolean last = i == count - 1;
            levels.add(new EncoderLevel(in, out, !last, !last && halvesFrames.get(i)));
            in = out;
        }
        return levels;
    }

    /**
     * A level of the encoder.
     *
     * @param in channels that come in
     * @param out channels of its residual blocks, and of what it hands on
     * @param halvesSize whether height and width halve at its end
     * @param halvesFrames whether frames halve after that
     */
    record EncoderLevel(int in, int out, boolean halvesSize, boolean halvesFrames) {}

    /** Levels of the decoder, from the latent's size up to the picture's. */
    List<DecoderLevel> decoderLevels() {
        int count = widthFactors.size();
        List<DecoderLevel> levels = new ArrayList<>();
        int in = decoderWidth * widthFactors.get(count - 1);
        for (int i = 0; i < count; i++) {
            int out = decoderWidth * widthFactors.get(count - 1 - i);
            boolean last = i == count - 1;
            boolean doublesFrames = !last && halvesFrames.get(count - 2 - i);
            levels.add(new DecoderLevel(in, out, !last, doublesFrames));
            in = out / 2;
        }
        return levels;
    }

    /**
     * How many latent frames back the decoder looks from its latents, and from the input of each of
     * its levels after that.
     */
    int[] decoderReaches() {
        TemporalReach reach = new TemporalReach(temporalFactor());
        List<DecoderLevel> levels = decoderLevels();
        int[] reaches = new int[1 + levels.size()];
        reach.backThroughConvolutions(1);
        for (int i = levels.size(); i > 0; i--) {
            backThrough(levels.get(i - 1), reach);
            reaches[i] = reach.latentFrames();
        }
        int middle = 2 * 2;
        reach.backThroughConvolutions(1 + middle);
        reaches[0] = reach.latentFrames();
        return reaches;
    }

    private void backThrough(DecoderLevel level, TemporalReach reach) {
        if (level.doublesFrames()) {
            reach.backThroughSteps(2);
            reach.backThroughConvolutions(1);
        }
        reach.backThroughConvolutions(2 * (residualBlocks + 1));
    }

    /**
     * A level of the decoder.
     *
     * @param in channels that come in
     * @param out channels of its residual blocks
     * @param doublesSize whether height and width double at its end, where channels halve
     * @param doublesFrames whether frames double before that
     */
    record DecoderLevel(int in, int out, boolean doublesSize, boolean doublesFrames) {}
}
