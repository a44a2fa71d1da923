package io.sanavideo.quantize;

import io.sanavideo.LayerPolicy;
import io.sanavideo.model.Nvfp4Tensors;
import io.sanavideo.model.TransformerLayer;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.SafetensorsWriter;
import io.sanavideo.weights.SafetensorsWriter.Entry;
import io.sanavideo.weights.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes a quantised transformer's weights: first what stays as it is, then layer by layer what is
 * NVFP4, so that memory never holds more than one layer.
 */
final class QuantizedTransformer {
    static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final int BLOCK_BYTES = 1 << 20;
    private static final int CODES = 2;
    private static final int SCALES = 16;

    private final Checkpoint dense;
    private final LayerPolicy policy;
    private final int rank;

    /** What makes the layers. */
    interface Source {
        /** The layer as NVFP4. */
        QuantizedLayer layer(TransformerLayer layer);

        /** The global scale of its inputs; 0 where they stay dense. */
        float inputScale(TransformerLayer layer);

        /** A layer is written. */
        void written(TransformerLayer layer, QuantizedLayer quantized);
    }

    /**
     * @param rank of linear layers' corrections; 0 for none
     */
    QuantizedTransformer(Checkpoint dense, LayerPolicy policy, int rank) {
        this.dense = dense;
        this.policy = policy;
        this.rank = rank;
    }

    void write(Path file, List<TransformerLayer> layers, Source source) {
        List<TransformerLayer> packed =
                layers.stream().filter(layer -> policy.of(layer.name()).packsWeights()).toList();
        Set<String> replaced = new HashSet<>();
        packed.forEach(
                layer -> layer.parts().forEach(part -> replaced.add(Nvfp4Tensors.codes(part))));
        List<StoredTensor> kept =
                dense.names().stream()
                        .filter(name -> !replaced.contains(name))
                        .map(dense::require)
                        .toList();
        List<Entry> entries = new ArrayList<>();
        kept.forEach(
                tensor -> entries.add(new Entry(tensor.name(), tensor.dtype(), tensor.shape())));
        packed.forEach(layer -> declare(entries, layer, source));
        try (SafetensorsWriter writer =
                new SafetensorsWriter(file, Map.of("format", "pt"), entries)) {
            kept.forEach(tensor -> copy(tensor, writer));
            for (TransformerLayer layer : packed) {
                QuantizedLayer quantized = source.layer(layer);
                put(layer, quantized, source, writer);
                source.written(layer, quantized);
            }
        }
    }

    private void declare(List<Entry> entries, TransformerLayer layer, Source source) {
        long in = layer.in();
        long rows = layer.partRows();
        for (String part : layer.parts()) {
            entries.add(new Entry(Nvfp4Tensors.codes(part), DType.U8, shape(layer, CODES)));
            entries.add(new Entry(Nvfp4Tensors.scales(part), DType.F8_E4M3, shape(layer, SCALES)));
            entries.add(new Entry(Nvfp4Tensors.globalScale(part), DType.F32, List.of()));
            if (source.inputScale(layer) > 0) {
                entries.add(new Entry(Nvfp4Tensors.inputScale(part), DType.F32, List.of()));
            }
            if (LayerQuantizer.corrects(layer, rank)) {
                long own = LayerQuantizer.rank(layer, rank);
                entries.add(
                        new Entry(Nvfp4Tensors.lowRankDown(part), DType.BF16, List.of(own, in)));
                entries.add(
                        new Entry(Nvfp4Tensors.lowRankUp(part), DType.BF16, List.of(rows, own)));
            }
        }
    }

    private static List<Long> shape(TransformerLayer layer, int elements) {
        long rows = layer.partRows();
        long row = layer.in() / elements;
        return layer.taps() == 1 ? List.of(rows, row) : List.of(rows, (long) layer.taps(), row);
    }

    private static void copy(StoredTensor tensor, SafetensorsWriter writer) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
        for (long at = 0; at < tensor.bytes(); at += BLOCK_BYTES) {
            tensor.read(at, block.clear().limit((int) Math.min(BLOCK_BYTES, tensor.bytes() - at)));
            writer.write(block.flip());
        }
    }

    private void put(
            TransformerLayer layer,
            QuantizedLayer quantized,
            Source source,
            SafetensorsWriter writer) {
        LowRank lowRank = quantized.lowRank();
        for (int i = 0; i < quantized.parts().size(); i++) {
            QuantizedLayer.Part part = quantized.parts().get(i);
            writer.write(ByteBuffer.wrap(part.codes()));
            writer.write(ByteBuffer.wrap(part.scales()));
            writer.write(bytes(part.globalScale()));
            if (source.inputScale(layer) > 0) {
                writer.write(bytes(source.inputScale(layer)));
            }
            if (lowRank != null) {
                int partElements = layer.partRows() * lowRank.rank();
                writer.write(bf16(lowRank.down(), 0, lowRank.down().length));
                writer.write(bf16(lowRank.up(), i * partElements, partElements));
            }
        }
    }

    private static ByteBuffer bytes(float value) {
        return ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .flip();
    }

    /** Of numbers that bf16 can hold. */
    private static ByteBuffer bf16(float[] values, int first, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = first; i < first + count; i++) {
            bytes.putShort((short) (Float.floatToIntBits(values[i]) >>> 16));
        }
        return bytes.flip();
    }
}
