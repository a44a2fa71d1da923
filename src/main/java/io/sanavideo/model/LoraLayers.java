package io.sanavideo.model;

import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.LoraFile;
import io.sanavideo.weights.LoraTerm;
import io.sanavideo.weights.StoredTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The LoRAs of a transformer, checked against its layers: what is added to each weight. Their files
 * are open while weights are loaded.
 */
final class LoraLayers implements AutoCloseable {
    /** No LoRA. */
    static final LoraLayers NONE = new LoraLayers(LoraMode.MERGE);

    private static final String WEIGHT = ".weight";
    private static final String DEPTHWISE = ".ff.conv_depth";

    private final LoraMode mode;
    private final List<LoraFile> files = new ArrayList<>();
    private final Map<String, List<LoraTerm>> terms = new HashMap<>();

    private LoraLayers(LoraMode mode) {
        this.mode = mode;
    }

    /**
     * Opens the files of LoRAs.
     *
     * @param dense the transformer's tensors, as they are where none is quantised
     * @throws ModelFormatException when a file is broken, not supported or for another model
     */
    static LoraLayers open(List<Lora> loras, LoraMode mode, TensorList dense) {
        LoraLayers opened = new LoraLayers(mode);
        try {
            loras.forEach(lora -> opened.add(lora, dense));
        } catch (Throwable e) {
            opened.close();
            throw e;
        }
        return opened;
    }

    private void add(Lora lora, TensorList dense) {
        LoraFile file = LoraFile.open(lora.file());
        files.add(file);
        for (LoraFile.Layer layer : file.layers().values()) {
            requireFit(file, layer, dense);
            // Of scale 0 it is none: bit by bit the same, and nothing to compute.
            if (lora.scale() != 0) {
                terms.computeIfAbsent(layer.name() + WEIGHT, name -> new ArrayList<>())
                        .add(new LoraTerm(layer, lora.scale()));
            }
        }
    }

    private static void requireFit(LoraFile file, LoraFile.Layer layer, TensorList dense) {
        long[] shape = dense.shape(layer.name() + WEIGHT);
        if (shape == null) {
            throw new ModelFormatException(
                    "%s: '%s' adapts layer '%s', which this transformer does not have: it may be the LoRA of another model"
                            .formatted(file.path(), layer.down().name(), layer.name()));
        }
        if (shape.length < 2 || layer.name().endsWith(DEPTHWISE)) {
            throw new ModelFormatException(
                    "%s: '%s' adapts '%s', a %s, expected linear layers and convolutions of all channels alone"
                            .formatted(
                                    file.path(),
                                    layer.down().name(),
                                    layer.name(),
                                    shape.length < 2 ? "norm" : "depthwise convolution"));
        }
        long[] down = shape.clone();
        down[0] = layer.rank();
        requireShape(file, layer, layer.down().name(), layer.down().shape(), down, shape);
        long[] up = new long[] {shape[0], layer.rank()};
        requireShape(file, layer, layer.up().name(), layer.up().shape(), up, shape);
    }

    private static void requireShape(
            LoraFile file,
            LoraFile.Layer layer,
            String tensor,
            List<Long> actual,
            long[] expected,
            long[] weight) {
        List<Long> wanted = Arrays.stream(expected).boxed().toList();
        if (!withoutOnes(actual).equals(withoutOnes(wanted))) {
            throw new ModelFormatException(
                    "%s: '%s' has shape %s, expected %s: layer '%s' has a weight of shape %s; it may be the LoRA of another model"
                            .formatted(
                                    file.path(),
                                    tensor,
                                    actual,
                                    withoutOnes(wanted),
                                    layer.name(),
                                    Arrays.toString(weight)));
        }
    }

    /** A 1x1 convolution is a matrix: dimensions of size 1 at the end, beyond two, say nothing. */
    private static List<Long> withoutOnes(List<Long> shape) {
        int end = shape.size();
        while (end > 2 && shape.get(end - 1) == 1) {
            end--;
        }
        return shape.subList(0, end);
    }

    /** What is added to the weight of this name; empty for none. */
    List<LoraTerm> terms(String weight) {
        return terms.getOrDefault(weight, List.of());
    }

    /** Whether a part of a layer is adapted. */
    boolean adapts(TransformerLayer layer) {
        return layer.parts().stream().anyMatch(part -> terms.containsKey(part + WEIGHT));
    }

    /**
     * Refuses to adapt a temporal convolution that is NVFP4: it has no branch of low rank.
     *
     * @param transformer its folder
     */
    void requireNone(TransformerLayer layer, Path transformer) {
        List<LoraTerm> adapting = terms(layer.name() + WEIGHT);
        if (!adapting.isEmpty()) {
            StoredTensor down = adapting.get(0).layer().down();
            throw new ModelFormatException(
                    "%s: '%s' adapts '%s', a temporal convolution that is NVFP4 in %s; expected a dense one: run the model that was quantised"
                            .formatted(down.file().path(), down.name(), layer.name(), transformer));
        }
    }

    /** Whether dense layers that can have a branch of low rank have one. */
    boolean atRun() {
        return mode == LoraMode.RUN;
    }

    @Override
    public void close() {
        files.forEach(LoraFile::close);
    }
}
