package io.sanavideo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What quantising did to a model: it covers the transformer's weights by their hash, so that a
 * model whose layers were packed, tiled or scaled in some other way than the one that was examined
 * is recognised.
 *
 * @param madeBy the version that wrote it
 * @param weights SHA-256 of the quantised transformer's weights
 * @param dense SHA-256 of the dense transformer's
 * @param origin where the codes come from: {@code quantized}, or the form of an imported file
 * @param fourOverSix whether blocks had the better of two scales
 * @param rank of the low-rank correction; 0 for none
 * @param calibrated runs that the activations' scales come from
 * @param share of the multiplications of the blocks' products that have both operands in NVFP4
 * @param layers every layer of the blocks
 * @param checks comparisons with the dense model; empty where none was made
 */
public record Receipt(
        String madeBy,
        String weights,
        String dense,
        String origin,
        boolean fourOverSix,
        int rank,
        int calibrated,
        double share,
        List<Layer> layers,
        List<Check> checks) {
    /** The file in the model's folder. */
    public static final String FILE = "receipt.json";

    private static final int VERSION = 1;
    private static final String NEXT =
            "quantize the dense model again, or name --trust to run it all the same";

    /**
     * A layer. What was not measured is NaN: of dense layers all, and errors without calibration.
     *
     * @param name of its first part
     * @param precision that the model's policy gives it
     * @param signalToNoise of its weight, in dB
     * @param saturation share of its weight's elements beyond the largest code
     * @param inputSaturation share of its sampled inputs beyond the largest code and scale
     * @param outputError of its product on sampled inputs: L2 of the difference from the dense one
     *     by L2 of that
     */
    public record Layer(
            String name,
            LayerPrecision precision,
            double signalToNoise,
            double saturation,
            double inputSaturation,
            double outputError) {}

    /**
     * A clip of fixed noise made by both models.
     *
     * @param latentErrors relative L2 of the latents after each step
     * @param psnr of the frames, in dB, 100 for equal ones
     * @param ssim of the frames
     */
    public record Check(
            String prompt, long seed, List<Double> latentErrors, double psnr, double ssim) {}

    /** The sum of all layers' output errors that were measured. */
    public double outputError() {
        return layers.stream()
                .mapToDouble(Layer::outputError)
                .filter(error -> !Double.isNaN(error))
                .sum();
    }

    /** The mean of the clips' PSNR; NaN without any. */
    public double psnr() {
        return checks.stream().mapToDouble(Check::psnr).average().orElse(Double.NaN);
    }

    /** The mean of the clips' SSIM; NaN without any. */
    public double ssim() {
        return checks.stream().mapToDouble(Check::ssim).average().orElse(Double.NaN);
    }

    /**
     * The receipt in a model's folder.
     *
     * @throws ModelFormatException when there is none or it is broken
     */
    public static Receipt read(Path model) {
        Path file = model.resolve(FILE);
        if (!Files.exists(file)) {
            throw new ModelFormatException(
                    "%s: the transformer is NVFP4 but there is no %s, expected one as sana-video quantize writes it; %s"
                            .formatted(model, FILE, NEXT));
        }
        Json json = Json.read(file);
        json.requiredInt("receipt", VERSION, VERSION);
        List<Layer> layers = new ArrayList<>();
        for (Json layer : json.requiredObjects("layers")) {
            layers.add(
                    new Layer(
                            layer.requiredText("name"),
                            LayerPrecision.of(layer, "precision"),
                            layer.optionalDouble("signal_to_noise_db", Double.NaN),
                            layer.optionalDouble("saturation", Double.NaN),
                            layer.optionalDouble("input_saturation", Double.NaN),
                            layer.optionalDouble("output_error", Double.NaN)));
        }
        List<Check> checks = new ArrayList<>();
        for (Json check : json.requiredObjects("checks")) {
            checks.add(check(check));
        }
        return new Receipt(
                json.requiredText("made_by"),
                json.requiredText("weights_sha256"),
                json.requiredText("dense_sha256"),
                json.requiredText("origin"),
                json.requiredBoolean("four_over_six"),
                json.requiredInt("rank", 0),
                json.requiredInt("calibrated", 0),
                json.requiredDouble("nvfp4_share"),
                layers,
                checks);
    }

    private static Check check(Json json) {
        double[] errors = json.requiredDoubles("latent_errors");
        if (errors.length == 0) {
            throw json.unexpected("latent_errors", "a number for each step");
        }
        return new Check(
                json.requiredText("prompt"),
                seed(json),
                Arrays.stream(errors).boxed().toList(),
                json.requiredDouble("psnr_db"),
                json.requiredDouble("ssim"));
    }

    /** A text: a number of 64 bits is more than other readers of JSON keep. */
    private static long seed(Json check) {
        try {
            return Long.parseLong(check.requiredText("seed"));
        } catch (NumberFormatException e) {
            throw check.unexpected("seed", "an integer as a string");
        }
    }

    /**
     * @param actual SHA-256 of the weights that lie in the folder
     * @throws ModelFormatException when the receipt is for others
     */
    public void requireFor(Path model, String actual) {
        if (!weights.equals(actual)) {
            throw new ModelFormatException(
                    "%s: %s is for weights of SHA-256 %s, but the transformer's are %s: they were changed after they were examined; %s"
                            .formatted(model, FILE, weights, actual, NEXT));
        }
    }

    /** As a JSON object. */
    public ObjectNode json() {
        ObjectNode json =
                new ObjectMapper()
                        .createObjectNode()
                        .put("receipt", VERSION)
                        .put("made_by", madeBy)
                        .put("weights_sha256", weights)
                        .put("dense_sha256", dense)
                        .put("origin", origin)
                        .put("four_over_six", fourOverSix)
                        .put("rank", rank)
                        .put("calibrated", calibrated)
                        .put("nvfp4_share", share);
        ArrayNode all = json.putArray("layers");
        for (Layer layer : layers) {
            ObjectNode node =
                    all.addObject()
                            .put("name", layer.name)
                            .put("precision", layer.precision.label());
            put(node, "signal_to_noise_db", layer.signalToNoise);
            put(node, "saturation", layer.saturation);
            put(node, "input_saturation", layer.inputSaturation);
            put(node, "output_error", layer.outputError);
        }
        ArrayNode clips = json.putArray("checks");
        for (Check check : checks) {
            ObjectNode node =
                    clips.addObject()
                            .put("prompt", check.prompt)
                            .put("seed", Long.toString(check.seed));
            ArrayNode errors = node.putArray("latent_errors");
            check.latentErrors.forEach(errors::add);
            node.put("psnr_db", check.psnr).put("ssim", check.ssim);
        }
        return json;
    }

    private static void put(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, value);
        }
    }

    /** Writes it into a model's folder. */
    public void write(Path model) {
        try {
            Files.writeString(
                    model.resolve(FILE),
                    new ObjectMapper()
                                    .enable(SerializationFeature.INDENT_OUTPUT)
                                    .writeValueAsString(json())
                            + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(model + ": the receipt cannot be written: " + e, e);
        }
    }
}
