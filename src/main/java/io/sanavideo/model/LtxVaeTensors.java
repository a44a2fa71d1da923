package io.sanavideo.model;

/** The tensors of an LTX-2 video VAE's checkpoint, by the names that diffusers gives them. */
final class LtxVaeTensors {
    /** Statistics of the latents, by channel. */
    static final String MEAN = "latents_mean";

    static final String DEVIATION = "latents_std";

    private LtxVaeTensors() {}

    static TensorList of(LtxVaeConfig config) {
        TensorList list = new TensorList();
        long pixels = (long) LtxVaeConfig.COLOURS * config.pixels().size();
        addEncoder(list, config, pixels);
        addDecoder(list, config, pixels);
        list.add(MEAN, config.latentChannels());
        list.add(DEVIATION, config.latentChannels());
        return list;
    }

    private static void addEncoder(TensorList list, LtxVaeConfig config, long pixels) {
        LtxVaeConfig.Side encoder = config.encoder();
        addConvolution(list, "encoder.conv_in", pixels, encoder.width());
        for (int i = 0; i < encoder.levels().size(); i++) {
            LtxVaeConfig.Level level = encoder.levels().get(i);
            addResiduals(list, encoderLevel(i), level.residuals(), level.in());
            addConvolution(list, downsampler(i), level.in(), level.reduced());
        }
        addResiduals(list, middle("encoder"), encoder.middle(), encoder.lastWidth());
        // The mean of each channel, and one logarithm of a variance for all of them.
        addConvolution(list, "encoder.conv_out", encoder.lastWidth(), config.latentChannels() + 1L);
    }

    private static void addDecoder(TensorList list, LtxVaeConfig config, long pixels) {
        LtxVaeConfig.Side decoder = config.decoder();
        addConvolution(list, "decoder.conv_in", config.latentChannels(), decoder.width());
        addResiduals(list, middle("decoder"), decoder.middle(), decoder.width());
        for (int i = 0; i < decoder.levels().size(); i++) {
            LtxVaeConfig.Level level = decoder.levels().get(i);
            addConvolution(list, upsampler(i), level.in(), level.widened());
            addResiduals(list, decoderLevel(i), level.residuals(), level.out());
        }
        addConvolution(list, "decoder.conv_out", decoder.lastWidth(), pixels);
    }

    static String encoderLevel(int index) {
        return "encoder.down_blocks." + index + ".";
    }

    static String downsampler(int index) {
        return encoderLevel(index) + "downsamplers.0.conv";
    }

    static String decoderLevel(int index) {
        return "decoder.up_blocks." + index + ".";
    }

    static String upsampler(int index) {
        return decoderLevel(index) + "upsamplers.0.conv";
    }

    static String middle(String side) {
        return side + ".mid_block.";
    }

    static String residual(String level, int index) {
        return level + "resnets." + index;
    }

    private static void addResiduals(TensorList list, String level, int count, long width) {
        for (int i = 0; i < count; i++) {
            addConvolution(list, residual(level, i) + ".conv1", width, width);
            addConvolution(list, residual(level, i) + ".conv2", width, width);
        }
    }

    private static void addConvolution(TensorList list, String name, long in, long out) {
        list.addWithBias(name + ".conv", out, in, 3, 3, 3);
    }
}
