package io.sanavideo.model;

import io.sanavideo.weights.Checkpoint;

/** The tensors of a transformer's checkpoint, by the names that diffusers gives them. */
final class TransformerTensors {
    /** Channels of the sinusoids that a timestep or guidance value is turned into. */
    static final int SINUSOIDS = 256;

    private TransformerTensors() {}

    /** The tensors of a checkpoint, of whose layers some are NVFP4: those that have scales. */
    static TensorList of(TransformerConfig config, Checkpoint checkpoint) {
        TensorList list = of(config);
        for (TransformerLayer layer : TransformerLayer.of(config)) {
            for (String part : layer.parts()) {
                if (checkpoint.has(Nvfp4Tensors.scales(part))) {
                    quantize(list, layer, part, checkpoint);
                }
            }
        }
        return list;
    }

    private static void quantize(
            TensorList list, TransformerLayer layer, String part, Checkpoint checkpoint) {
        long rows = layer.partRows();
        long in = layer.in();
        list.add(Nvfp4Tensors.codes(part), packed(layer, in / 2));
        list.add(Nvfp4Tensors.scales(part), packed(layer, in / 16));
        list.add(Nvfp4Tensors.globalScale(part));
        if (checkpoint.has(Nvfp4Tensors.inputScale(part))) {
            list.add(Nvfp4Tensors.inputScale(part));
        }
        if (checkpoint.has(Nvfp4Tensors.lowRankDown(part))) {
            long rank = checkpoint.require(Nvfp4Tensors.lowRankDown(part)).shape().get(0);
            list.add(Nvfp4Tensors.lowRankDown(part), rank, in);
            list.add(Nvfp4Tensors.lowRankUp(part), rows, rank);
        }
    }

    private static long[] packed(TransformerLayer layer, long bytes) {
        long rows = layer.partRows();
        return layer.taps() == 1
                ? new long[] {rows, bytes}
                : new long[] {rows, layer.taps(), bytes};
    }

    static TensorList of(TransformerConfig config) {
        TensorList list = new TensorList();
        int width = config.width();
        list.addWithBias(
                "patch_embedding",
                width,
                config.inChannels(),
                config.patchFrames(),
                config.patchHeight(),
                config.patchWidth());
        addEmbedder(list, timestepEmbedder(config), width);
        if (config.guidanceEmbeds()) {
            addEmbedder(list, guidanceEmbedder(), width);
        }
        list.addWithBias("time_embed.linear", 6L * width, width);
        list.addWithBias("caption_projection.linear_1", width, config.captionChannels());
        list.addWithBias("caption_projection.linear_2", width, width);
        list.add("caption_norm.weight", width);
        for (int i = 0; i < config.layers(); i++) {
            addBlock(list, block(i), config);
        }
        list.add("scale_shift_table", 2, width);
        list.addWithBias("proj_out", (long) config.patchVolume() * config.outChannels(), width);
        return list;
    }

    /** A guidance embedder beside it takes one level off the timestep embedder's name. */
    static String timestepEmbedder(TransformerConfig config) {
        return config.guidanceEmbeds()
                ? "time_embed.timestep_embedder"
                : "time_embed.emb.timestep_embedder";
    }

    static String guidanceEmbedder() {
        return "time_embed.guidance_embedder";
    }

    static String block(int index) {
        return "transformer_blocks." + index + ".";
    }

    private static void addEmbedder(TensorList list, String name, int width) {
        list.addWithBias(name + ".linear_1", width, SINUSOIDS);
        list.addWithBias(name + ".linear_2", width, width);
    }

    private static void addBlock(TensorList list, String block, TransformerConfig config) {
        int width = config.width();
        int crossWidth = config.crossWidth();
        int hidden = config.hidden();
        list.add(block + "scale_shift_table", 6, width);
        for (String projection : new String[] {"to_q", "to_k", "to_v"}) {
            String name = block + "attn1." + projection;
            if (config.attentionBias()) {
                list.addWithBias(name, width, width);
            } else {
                list.add(name + ".weight", width, width);
            }
            list.addWithBias(block + "attn2." + projection, crossWidth, width);
        }
        list.add(block + "attn1.norm_q.weight", width);
        list.add(block + "attn1.norm_k.weight", width);
        list.addWithBias(block + "attn1.to_out.0", width, width);
        list.add(block + "attn2.norm_q.weight", crossWidth);
        list.add(block + "attn2.norm_k.weight", crossWidth);
        list.addWithBias(block + "attn2.to_out.0", width, crossWidth);
        list.addWithBias(block + "ff.conv_inverted", 2L * hidden, width, 1, 1);
        list.addWithBias(block + "ff.conv_depth", 2L * hidden, 1, 3, 3);
        list.add(block + "ff.conv_point.weight", width, hidden, 1, 1);
        list.add(block + "ff.conv_temp.weight", width, width, 3, 1);
    }
}
