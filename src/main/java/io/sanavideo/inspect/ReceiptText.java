package io.sanavideo.inspect;

import io.sanavideo.LayerPrecision;
import io.sanavideo.Receipt;
import java.util.List;
import java.util.Locale;

/** A receipt for a person. */
public final class ReceiptText {
    private ReceiptText() {}

    /** What was done, and how near the model is: a few lines. */
    public static String summary(Receipt receipt) {
        StringBuilder text = new StringBuilder();
        List<Receipt.Layer> packed =
                receipt.layers().stream()
                        .filter(layer -> layer.precision().packsWeights())
                        .toList();
        long both =
                packed.stream().filter(layer -> layer.precision() == LayerPrecision.NVFP4).count();
        line(
                text,
                "NVFP4, %s%s: %d of %d layers, %d with activations (%.1f%% of multiplications)",
                receipt.origin(),
                recipe(receipt),
                packed.size(),
                receipt.layers().size(),
                both,
                100 * receipt.share());
        line(
                text,
                "weights: signal-to-noise %.1f dB, least %.1f dB",
                packed.stream().mapToDouble(Receipt.Layer::signalToNoise).average().orElse(0),
                packed.stream().mapToDouble(Receipt.Layer::signalToNoise).min().orElse(0));
        if (receipt.calibrated() > 0) {
            line(
                    text,
                    "outputs of layers: errors add up to %.3f, calibrated by %d clips",
                    receipt.outputError(),
                    receipt.calibrated());
        }
        if (receipt.checks().isEmpty()) {
            line(text, "not compared with the dense model");
        } else {
            line(
                    text,
                    "against the dense model: PSNR %.1f dB, SSIM %.3f, mean of %d clips",
                    receipt.psnr(),
                    receipt.ssim(),
                    receipt.checks().size());
        }
        return text.toString();
    }

    private static String recipe(Receipt receipt) {
        return (receipt.fourOverSix() ? ", four over six" : "")
                + (receipt.rank() > 0 ? ", rank " + receipt.rank() : "");
    }

    /** The summary, every layer and every clip. */
    static String full(Receipt receipt) {
        StringBuilder text = new StringBuilder(summary(receipt));
        line(
                text,
                "  %-42s%15s%9s%11s%11s%9s",
                "layer",
                "precision",
                "SNR dB",
                "saturated",
                "inputs",
                "error");
        for (Receipt.Layer layer : receipt.layers()) {
            line(
                    text,
                    "  %-42s%15s%9s%11s%11s%9s",
                    layer.name(),
                    layer.precision().label(),
                    number("%.2f", layer.signalToNoise()),
                    number("%.5f", layer.saturation()),
                    number("%.5f", layer.inputSaturation()),
                    number("%.4f", layer.outputError()));
        }
        for (Receipt.Check check : receipt.checks()) {
            line(
                    text,
                    "  PSNR %.1f dB, SSIM %.3f, latents %.4f after the first step, %.4f after the last: %s, seed %d",
                    check.psnr(),
                    check.ssim(),
                    check.latentErrors().get(0),
                    check.latentErrors().get(check.latentErrors().size() - 1),
                    check.prompt(),
                    check.seed());
        }
        return text.toString();
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
    }
}
