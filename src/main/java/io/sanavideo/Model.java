package io.sanavideo;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Which model runs where and how. What is left as {@link #at} gives it suits most.
 *
 * @param folder in the diffusers layout
 * @param device that it runs on
 * @param precision of weights and activations that are not quantised
 * @param layers which layers of the transformer are quantised
 * @param kernels whose do products and convolutions on a card
 * @param trusted whether a quantised model runs without a receipt that fits its weights
 * @param loras what its transformer is adapted by, all at once; what they change adds up
 * @param loraMode how they are applied
 */
public record Model(
        Path folder,
        Device device,
        Precision precision,
        LayerPolicy layers,
        Kernels kernels,
        boolean trusted,
        List<Lora> loras,
        LoraMode loraMode) {
    public Model {
        Objects.requireNonNull(folder, "folder");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(layers, "layers");
        Objects.requireNonNull(kernels, "kernels");
        loras = List.copyOf(loras);
        Objects.requireNonNull(loraMode, "loraMode");
    }

    /** A model as its folder and the device suggest. */
    public static Model at(Path folder, Device device) {
        return new Model(
                folder,
                device,
                Precision.AUTO,
                LayerPolicy.OF_MODEL,
                Kernels.AUTO,
                false,
                List.of(),
                LoraMode.MERGE);
    }

    public Model withPrecision(Precision newPrecision) {
        return new Model(folder, device, newPrecision, layers, kernels, trusted, loras, loraMode);
    }

    public Model withLayers(LayerPolicy newLayers) {
        return new Model(folder, device, precision, newLayers, kernels, trusted, loras, loraMode);
    }

    public Model withKernels(Kernels newKernels) {
        return new Model(folder, device, precision, layers, newKernels, trusted, loras, loraMode);
    }

    /** The same model, taken without a receipt. */
    public Model withoutReceipt() {
        return new Model(folder, device, precision, layers, kernels, true, loras, loraMode);
    }

    /** The same model, adapted by these and no others. */
    public Model withLoras(List<Lora> newLoras) {
        return new Model(folder, device, precision, layers, kernels, trusted, newLoras, loraMode);
    }

    public Model withLoraMode(LoraMode newMode) {
        return new Model(folder, device, precision, layers, kernels, trusted, loras, newMode);
    }
}
