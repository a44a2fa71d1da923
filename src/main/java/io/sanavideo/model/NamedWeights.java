package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.Rows;
import io.sanavideo.weights.WeightLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Function;
import java.util.function.LongConsumer;

/**
 * Loads a checkpoint's tensors by name alone, their shapes being those of a {@link TensorList}.
 * Several names make one tensor of all their rows, in order. Closing frees what was loaded.
 */
final class NamedWeights implements AutoCloseable {
    private final Context context;
    private final Path folder;
    private final DType compute;
    private final TensorList list;
    private final LoraLayers loras;
    private final WeightLoader loader;

    private NamedWeights(
            Context context,
            Checkpoint checkpoint,
            TensorList list,
            DType compute,
            LoraLayers loras,
            LongConsumer progress) {
        this.context = context;
        this.folder = checkpoint.folder();
        this.compute = compute;
        this.list = list;
        this.loras = loras;
        loader = new WeightLoader(context, checkpoint, compute, progress);
    }

    /** As the other, without LoRAs. */
    static <T> T load(
            Context context,
            Path folder,
            DType compute,
            LongConsumer progress,
            Function<Checkpoint, TensorList> tensors,
            Function<NamedWeights, T> model) {
        return load(context, folder, compute, LoraLayers.NONE, progress, tensors, model);
    }

    /**
     * Makes a model of a folder's checkpoint; when that fails nothing stays loaded.
     *
     * @param loras what is added to its weights; may be closed afterwards
     * @param compute what weights are stored and multiplied as, F32 or BF16
     * @param progress told the bytes of each part that was loaded
     * @param tensors the tensors that the checkpoint must hold, and no others
     * @param model takes over the weights, which it closes in the end
     */
    static <T> T load(
            Context context,
            Path folder,
            DType compute,
            LoraLayers loras,
            LongConsumer progress,
            Function<Checkpoint, TensorList> tensors,
            Function<NamedWeights, T> model) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            TensorList list = tensors.apply(checkpoint);
            list.verify(checkpoint);
            NamedWeights weights =
                    new NamedWeights(context, checkpoint, list, compute, loras, progress);
            try {
                T loaded = model.apply(weights);
                weights.loader.finish();
                return loaded;
            } catch (Throwable e) {
                weights.close();
                throw e;
            }
        }
    }

    Context context() {
        return context;
    }

    DType compute() {
        return compute;
    }

    /** Where they come from. */
    Path folder() {
        return folder;
    }

    /** Whether there is a tensor of this name. */
    boolean has(String name) {
        return list.shapes().containsKey(name);
    }

    /** The shape of the tensor of this name. */
    long[] shape(String name) {
        return list.shape(name);
    }

    /** What is added to weights. */
    LoraLayers loras() {
        return loras;
    }

    /** A packed weight, with LoRAs merged into it. */
    Weight weight(WeightKind kind, String... names) {
        return loader.merged(
                kind,
                Arrays.stream(names)
                        .map(
                                name ->
                                        new WeightLoader.Part(
                                                name, loras.terms(name), list.shape(name)))
                        .toArray(WeightLoader.Part[]::new));
    }

    /** A packed weight as it is in the file. */
    Weight storedWeight(WeightKind kind, String... names) {
        return loader.merged(kind, parts(names));
    }

    /** A packed weight of the first rows of a tensor. */
    Weight firstRows(WeightKind kind, String name, long count) {
        return loader.firstRows(kind, parts(name)[0], count);
    }

    /** A packed LINEAR weight [rows, columns] that is computed. */
    Weight computed(long rows, int columns, Rows source) {
        return loader.computed(rows, columns, source);
    }

    /** All elements of tensors, one after another. */
    float[] values(String... names) {
        return loader.values(parts(names));
    }

    /** The weight of a layer that the checkpoint holds as NVFP4. */
    Weight nvfp4Weight(TransformerLayer layer) {
        return loader.nvfp4(
                layer.kind(),
                layer.partRows(),
                layer.in(),
                layer.taps(),
                layer.parts().stream()
                        .map(
                                part ->
                                        new WeightLoader.Nvfp4Part(
                                                Nvfp4Tensors.codes(part),
                                                Nvfp4Tensors.scales(part),
                                                Nvfp4Tensors.globalScale(part)))
                        .toList());
    }

    /** A single number. */
    float scalar(String name) {
        return loader.scalar(name);
    }

    /** An f32 tensor: biases, norms and other small tables. */
    Tensor vector(String... names) {
        return loader.mergedVector(parts(names));
    }

    /** The weight of a norm as one f32 dimension, whatever dimensions of size 1 the file adds. */
    Tensor norm(String name) {
        return vector(name).reshape(TensorList.elements(list.shape(name)));
    }

    /** A tensor of the compute dtype. */
    Tensor table(String name) {
        return loader.table(name, list.shape(name));
    }

    private WeightLoader.Part[] parts(String... names) {
        return Arrays.stream(names)
                .map(name -> new WeightLoader.Part(name, list.shape(name)))
                .toArray(WeightLoader.Part[]::new);
    }

    @Override
    public void close() {
        loader.close();
    }
}
