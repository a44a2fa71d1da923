package io.sanavideo.model;

/** The tensors of a Wan VAE's checkpoint, by the names that diffusers gives them. */
final class WanVaeTensors {
    private WanVaeTensors() {}

    static TensorList of(WanVaeConfig config) {
        TensorList list = new TensorList();
        long latent = config.latentChannels();
        addEncoder(list, config);
        list.addWithBias("quant_conv", 2 * latent, 2 * latent, 1, 1, 1);
        list.addWithBias("post_quant_conv", latent, latent, 1, 1, 1);
        addDecoder(list, config);
        return list;
    }

    private static void addEncoder(TensorList list, WanVaeConfig config) {
        addConvolution(list, "encoder.conv_in", WanVaeConfig.COLOURS, config.encoderWidth());
        int index = 0;
        long in = config.encoderWidth();
        for (WanVaeConfig.EncoderLevel level : config.encoderLevels()) {
            for (int j = 0; j < config.residualBlocks(); j++) {
                addResidual(list, encoderBlock(config, index, j), in, level.out());
                in = level.out();
            }
            String downsampler = encoderBlock(config, index++, config.residualBlocks());
            if (level.halvesSize()) {
                list.addWithBias(downsampler + ".resample.1", in, in, 3, 3);
            }
            if (level.halvesFrames()) {
                list.addWithBias(downsampler + ".time_conv", in, in, 3, 1, 1);
            }
        }
        addMiddle(list, "encoder.mid_block", in);
        list.add("encoder.norm_out.gamma", in, 1, 1, 1);
        addConvolution(list, "encoder.conv_out", in, 2L * config.latentChannels());
    }

    /**
     * A block of an encoder's level: of its residual ones, or the one after them, which makes the
     * next level smaller.
     */
    static String encoderBlock(WanVaeConfig config, int level, int block) {
        return "encoder.down_blocks." + (level * (config.residualBlocks() + 1) + block);
    }

    private static void addDecoder(TensorList list, WanVaeConfig config) {
        long in = config.decoderLevels().get(0).in();
        addConvolution(list, "decoder.conv_in", config.latentChannels(), in);
        addMiddle(list, "decoder.mid_block", in);
        int index = 0;
        for (WanVaeConfig.DecoderLevel level : config.decoderLevels()) {
            String block = decoderBlock(index++);
            in = level.in();
            for (int j = 0; j <= config.residualBlocks(); j++) {
                addResidual(list, block + "resnets." + j, in, level.out());
                in = level.out();
            }
            if (level.doublesSize()) {
                list.addWithBias(block + "upsamplers.0.resample.1", in / 2, in, 3, 3);
            }
            if (level.doublesFrames()) {
                list.addWithBias(block + "upsamplers.0.time_conv", 2 * in, in, 3, 1, 1);
            }
        }
        list.add("decoder.norm_out.gamma", in, 1, 1, 1);
        addConvolution(list, "decoder.conv_out", in, WanVaeConfig.COLOURS);
    }

    static String decoderBlock(int index) {
        return "decoder.up_blocks." + index + ".";
    }

    private static void addConvolution(TensorList list, String name, long in, long out) {
        list.addWithBias(name, out, in, 3, 3, 3);
    }

    private static void addResidual(TensorList list, String name, long in, long out) {
        list.add(name + ".norm1.gamma", in, 1, 1, 1);
        addConvolution(list, name + ".conv1", in, out);
        list.add(name + ".norm2.gamma", out, 1, 1, 1);
        addConvolution(list, name + ".conv2", out, out);
        if (in != out) {
            list.addWithBias(name + ".conv_shortcut", out, in, 1, 1, 1);
        }
    }

    private static void addMiddle(TensorList list, String name, long width) {
        addResidual(list, name + ".resnets.0", width, width);
        list.add(name + ".attentions.0.norm.gamma", width, 1, 1);
        list.addWithBias(name + ".attentions.0.to_qkv", 3 * width, width, 1, 1);
        list.addWithBias(name + ".attentions.0.proj", width, width, 1, 1);
        addResidual(list, name + ".resnets.1", width, width);
    }
}
