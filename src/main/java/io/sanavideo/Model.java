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
 * @param memory bytes of the device's memory that it may take, {@link #ALL_MEMORY} for what there
 *     is: where they hold not all components at once these are loaded in turn, or layer by layer,
 *     and frames are decoded tile by tile
 * @param tile pixels of a side of the tiles that frames are decoded in, {@link #WHOLE_FRAMES} for
 *     tiles only where memory asks for them
 */
public record Model(
        Path folder,
        Device device,
        Precision precision,
        LayerPolicy layers,
        Kernels kernels,
        boolean trusted,
        List<Lora> loras,
        LoraMode loraMode,
        long memory,
        int tile) {
    /** As {@link #memory()}: what the device has to give. */
    public static final long ALL_MEMORY = Long.MAX_VALUE;

    /** As {@link #tile()}: frames are decoded whole where memory holds that. */
    public static final int WHOLE_FRAMES = 0;

    public Model {
        Objects.requireNonNull(folder, "folder");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(layers, "layers");
        Objects.requireNonNull(kernels, "kernels");
        loras = List.copyOf(loras);
        Objects.requireNonNull(loraMode, "loraMode");
        if (memory < 1) {
            throw new IllegalArgumentException(
                    "memory is %d bytes, expected 1 or more".formatted(memory));
        }
        if (tile < 0) {
            throw new IllegalArgumentException(
                    "tile is %d pixels, expected 0 or more".formatted(tile));
        }
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
                LoraMode.MERGE,
                ALL_MEMORY,
                WHOLE_FRAMES);
    }

    public Model withPrecision(Precision newPrecision) {
        return new Model(
                folder,
                device,
                newPrecision,
                layers,
                kernels,
                trusted,
                loras,
                loraMode,
                memory,
                tile);
    }

    public Model withLayers(LayerPolicy newLayers) {
        return new Model(
                folder, device, precision, newLayers, kernels, trusted, loras, loraMode, memory,
                tile);
    }

    public Model withKernels(Kernels newKernels) {
        return new Model(
                folder,
                device,
                precision,
                layers,
                newKernels,
                trusted,
                loras,
                loraMode,
                memory,
                tile);
    }

    /** The same model, taken without a receipt. */
    public Model withoutReceipt() {
        return new Model(
                folder, device, precision, layers, kernels, true, loras, loraMode, memory, tile);
    }

    /** The same model, adapted by these and no others. */
    public Model withLoras(List<Lora> newLoras) {
        return new Model(
                folder, device, precision, layers, kernels, trusted, newLoras, loraMode, memory,
                tile);
    }

    public Model withLoraMode(LoraMode newMode) {
        return new Model(
                folder, device, precision, layers, kernels, trusted, loras, newMode, memory, tile);
    }

    /**
     * The same model in so much of the device's memory.
     *
     * @param bytes from 1
     */
    public Model withMemory(long bytes) {
        return new Model(
                folder, device, precision, layers, kernels, trusted, loras, loraMode, bytes, tile);
    }

    /**
     * The same model, whose VAE decodes frames in square tiles of this many pixels a side, each on
     * its own and cross-faded with its neighbours: less memory, and pixels that differ a little
     * from those of whole frames.
     *
     * @param pixels a multiple of the VAE's spatial factor, 4 times that at least; {@link
     *     #WHOLE_FRAMES} for tiles only where memory asks for them
     */
    public Model withTile(int pixels) {
        return new Model(
                folder, device, precision, layers, kernels, trusted, loras, loraMode, memory,
                pixels);
    }
}
