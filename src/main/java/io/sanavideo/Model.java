package io.sanavideo;

import java.nio.file.Path;
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
 */
public record Model(
        Path folder,
        Device device,
        Precision precision,
        LayerPolicy layers,
        Kernels kernels,
        boolean trusted) {
    public Model {
        Objects.requireNonNull(folder, "folder");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(layers, "layers");
        Objects.requireNonNull(kernels, "kernels");
    }

    /** A model as its folder and the device suggest. */
    public static Model at(Path folder, Device device) {
        return new Model(folder, device, Precision.AUTO, LayerPolicy.OF_MODEL, Kernels.AUTO, false);
    }

    public Model withPrecision(Precision newPrecision) {
        return new Model(folder, device, newPrecision, layers, kernels, trusted);
    }

    public Model withLayers(LayerPolicy newLayers) {
        return new Model(folder, device, precision, newLayers, kernels, trusted);
    }

    public Model withKernels(Kernels newKernels) {
        return new Model(folder, device, precision, layers, newKernels, trusted);
    }

    /** The same model, taken without a receipt. */
    public Model withoutReceipt() {
        return new Model(folder, device, precision, layers, kernels, true);
    }
}
