package io.sanavideo.model;

import io.sanavideo.weights.Json;

/**
 * The tensors of an LTX-2 video VAE's checkpoint, by the names that diffusers gives them: the VAE
 * of the 720p model.
 */
final class LtxVaeTensors {
    /** {@code _class_name} of its config. */
    static final String CLASS = "AutoencoderKLLTX2Video";

    private LtxVaeTensors() {}

    static TensorList of(Json json) {
        refuseUnsupported(json);
        TensorList list = new TensorList();
        int latent = json.requiredInt("latent_channels", 1);
        int patch = json.requiredInt("patch_size", 1);
        int frames = json.requiredInt("patch_size_t", 1);
        long pixels = (long) patch * patch * frames;
        addEncoder(list, json, json.requiredInt("in_channels", 1) * pixels, latent);
        addDecoder(list, json, latent, json.requiredInt("out_channels", 1) * pixels);
        list.add("latents_mean", latent);
        list.add("latents_std", latent);
        return list;
    }

    private static void refuseUnsupported(Json json) {
        if (json.requiredBoolean("timestep_conditioning")) {
            throw json.unexpected("timestep_conditioning", "false");
        }
        requireAll(json, "decoder_inject_noise", false);
        requireAll(json, "spatio_temporal_scaling", true);
        requireAll(json, "decoder_spatio_temporal_scaling", true);
    }

    private static void requireAll(Json json, String key, boolean expected) {
        for (boolean value : json.requiredBooleans(key)) {
            if (value != expected) {
                throw json.unexpected(key, "only " + expected);
            }
        }
    }

    private static void addEncoder(TensorList list, Json json, long colours, long latent) {
        int[] widths = widths(json, "block_out_channels");
        int[] layers = ints(json, "layers_per_block", widths.length + 1);
        String[] types = texts(json, "downsample_type", widths.length);
        addConvolution(list, "encoder.conv_in", colours, latent);
        long in = latent;
        for (int i = 0; i < widths.length; i++) {
            String block = "encoder.down_blocks." + i + ".";
            addResiduals(list, block, layers[i], in);
            long reduced = widths[i] / positions(json, "downsample_type", types[i]);
            addConvolution(list, block + "downsamplers.0.conv", in, reduced);
            in = widths[i];
        }
        addResiduals(list, "encoder.mid_block.", layers[widths.length], in);
        addConvolution(list, "encoder.conv_out", in, latent + 1);
    }

    private static void addDecoder(TensorList list, Json json, long latent, long colours) {
        int[] widths = widths(json, "decoder_block_out_channels");
        int[] layers = ints(json, "decoder_layers_per_block", widths.length + 1);
        int[] factors = ints(json, "upsample_factor", widths.length);
        String[] types = texts(json, "upsample_type", widths.length);
        // The lists go from full size down, the decoder goes up.
        int last = widths.length - 1;
        addConvolution(list, "decoder.conv_in", latent, widths[last]);
        addResiduals(list, "decoder.mid_block.", layers[widths.length], widths[last]);
        long out = widths[last];
        for (int i = 0; i < widths.length; i++) {
            String block = "decoder.up_blocks." + i + ".";
            long in = widths[last - i];
            long widened = in * positions(json, "upsample_type", types[i]) / factors[i];
            addConvolution(list, block + "upsamplers.0.conv", in, widened);
            out = in / factors[i];
            addResiduals(list, block, layers[last - i], out);
        }
        addConvolution(list, "decoder.conv_out", out, colours);
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

    /** How many positions become one on the way down, or one becomes on the way up. */
    private static int positions(Json json, String key, String type) {
        return switch (type) {
            case "spatial" -> 4;
            case "temporal" -> 2;
            case "spatiotemporal" -> 8;
            default -> throw json.unexpected(key, "spatial, temporal or spatiotemporal");
        };
    }

    private static void addResiduals(TensorList list, String block, int count, long width) {
        for (int i = 0; i < count; i++) {
            addConvolution(list, block + "resnets." + i + ".conv1", width, width);
            addConvolution(list, block + "resnets." + i + ".conv2", width, width);
        }
    }

    private static void addConvolution(TensorList list, String name, long in, long out) {
        list.addWithBias(name + ".conv", out, in, 3, 3, 3);
    }
}
