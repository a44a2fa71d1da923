package io.sanavideo;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * How a dense model is made an NVFP4 one.
 *
 * @param model the dense model's folder
 * @param imported a file, or a component's folder, with the transformer's layers quantised by
 *     others, which the dense model is there to examine; null to quantise here
 * @param layers which layers are quantised to what; activations are only where calibration has seen
 *     them; of an imported file its own decide
 * @param fourOverSix whether each block of a weight has the better of two scales
 * @param rank of a dense correction beside each linear layer; 0 for none
 * @param calibration clips that the dense model makes to learn how large activations are; their
 *     seeds are given
 * @param checks clips that both models make, to be compared in the receipt; their seeds are given
 * @param device that clips are made on
 */
public record Quantization(
        Path model,
        Path imported,
        LayerPolicy layers,
        boolean fourOverSix,
        int rank,
        List<TextToVideo> calibration,
        List<TextToVideo> checks,
        Device device) {
    private static final int MOST_RANK = 256;

    public Quantization {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(layers, "layers");
        Objects.requireNonNull(device, "device");
        if (rank < 0 || rank > MOST_RANK) {
            throw new IllegalArgumentException(
                    "the rank is %d, expected 0 to %d".formatted(rank, MOST_RANK));
        }
        if (imported != null
                && (rank != 0 || fourOverSix || !layers.equals(LayerPolicy.STANDARD))) {
            throw new IllegalArgumentException(
                    "an imported model is taken as it is: expected no rank, no four over six and no policy");
        }
        calibration = List.copyOf(calibration);
        checks = List.copyOf(checks);
        for (List<TextToVideo> clips : List.of(calibration, checks)) {
            clips.forEach(clip -> Objects.requireNonNull(clip.seed(), "the seed of a clip"));
        }
    }

    /** The standard policy, weights alone, and no checks. */
    public static Quantization of(Path model, Device device) {
        return new Quantization(
                model, null, LayerPolicy.STANDARD, false, 0, List.of(), List.of(), device);
    }

    public Quantization withImported(Path file) {
        return new Quantization(
                model, file, layers, fourOverSix, rank, calibration, checks, device);
    }

    public Quantization withLayers(LayerPolicy policy) {
        return new Quantization(
                model, imported, policy, fourOverSix, rank, calibration, checks, device);
    }

    public Quantization withFourOverSix(boolean better) {
        return new Quantization(model, imported, layers, better, rank, calibration, checks, device);
    }

    public Quantization withRank(int newRank) {
        return new Quantization(
                model, imported, layers, fourOverSix, newRank, calibration, checks, device);
    }

    public Quantization withCalibration(List<TextToVideo> clips) {
        return new Quantization(model, imported, layers, fourOverSix, rank, clips, checks, device);
    }

    public Quantization withChecks(List<TextToVideo> clips) {
        return new Quantization(
                model, imported, layers, fourOverSix, rank, calibration, clips, device);
    }
}
