package io.sanavideo.cli;

import io.sanavideo.Kernels;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say whose kernels run on a card. */
final class KernelOptions {
    private static final String OWN = "own";
    private static final String AUTO = "auto";

    @Option(
            names = "--gemm",
            paramLabel = "own|cublaslt|auto",
            defaultValue = AUTO,
            description =
                    "Who does dense bf16 products on a card (default: ${DEFAULT-VALUE}, the faster for each shape).")
    private String products;

    @Option(
            names = "--conv",
            paramLabel = "own|cudnn|auto",
            defaultValue = AUTO,
            description =
                    "Who does the VAE's bf16 convolutions on a card (default: ${DEFAULT-VALUE}).")
    private String convolutions;

    @Option(
            names = "--kernels-from",
            paramLabel = "CLIP",
            description = "Repeats the choices in a clip's recipe.")
    private Path clip;

    /**
     * @throws IllegalArgumentException when an option has a value that it cannot have
     */
    Kernels kernels() {
        Kernels.Use gemm = parse("--gemm", products, "cublaslt");
        Kernels.Use conv = parse("--conv", convolutions, "cudnn");
        if (clip == null) {
            return new Kernels(gemm, conv, null);
        }
        if (gemm != Kernels.Use.AUTO || conv != Kernels.Use.AUTO) {
            throw new IllegalArgumentException(
                    "--kernels-from says all; leave out --gemm and --conv");
        }
        return Kernels.ofClip(clip);
    }

    private static Kernels.Use parse(String option, String value, String library) {
        if (value.equals(library)) {
            return Kernels.Use.LIBRARY;
        }
        return switch (value) {
            case OWN -> Kernels.Use.OWN;
            case AUTO -> Kernels.Use.AUTO;
            default ->
                    throw new IllegalArgumentException(
                            "%s is '%s', expected own, %s or auto"
                                    .formatted(option, value, library));
        };
    }
}
