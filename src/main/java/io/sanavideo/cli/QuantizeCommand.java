package io.sanavideo.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.Device;
import io.sanavideo.LayerPolicy;
import io.sanavideo.Quantization;
import io.sanavideo.Receipt;
import io.sanavideo.TextToVideo;
import io.sanavideo.inspect.ReceiptText;
import io.sanavideo.quantize.Quantizer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video quantize}: an NVFP4 model of a dense one. */
@Command(
        name = "quantize",
        description = {
            "Writes an NVFP4 model of a dense one, with a receipt that says how near it is. Weights",
            "take 0.28 of their bf16 size; activations are quantised too where --calibrate says",
            "how large they are."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class QuantizeCommand implements Callable<Integer> {
    private static final String CHECKED = "a red circle moving left on a black background";

    @ArgGroup(multiplicity = "1")
    private Source source;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            required = true,
            description = "An empty or new folder.")
    private Path output;

    @Option(
            names = "--calibrate",
            paramLabel = "FILE",
            description = "A prompt a line; clips of them say how large activations are.")
    private Path calibrate;

    @Option(
            names = "--four-over-six",
            description = "Gives each block of a weight the better of two scales.")
    private boolean fourOverSix;

    @Option(
            names = "--rank",
            paramLabel = "N",
            defaultValue = "0",
            description = "Rank of a bf16 correction beside each linear layer; 32 is usual.")
    private int rank;

    @Option(
            names = "--policy",
            paramLabel = "FILE",
            description = "Which layers are quantised (default: all that gain by it).")
    private Path policy;

    @Option(
            names = "--check",
            paramLabel = "N",
            defaultValue = "1",
            description = {
                "Clips that both models make for the receipt (default: ${DEFAULT-VALUE}), of the",
                "first calibration prompts; 0 for none."
            })
    private int checks;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Of the first clip; the others have those that follow.")
    private long seed;

    @Option(names = "--size", paramLabel = "WxH", description = "Pixels of these clips.")
    private String size;

    @Option(names = "--frames", paramLabel = "N", description = "Their length.")
    private Integer frames;

    @Option(names = "--steps", paramLabel = "N", description = "Their denoising steps.")
    private Integer steps;

    @Option(names = "--json", description = "Prints events and the receipt as JSON, one a line.")
    private boolean json;

    @Option(names = "--quiet", description = "Prints nothing but errors.")
    private boolean quiet;

    @Mixin private DeviceOptions options;

    /** The dense model, and what may be imported. */
    private static final class Source {
        @Parameters(
                paramLabel = "MODEL",
                description = "The dense model's folder, or demo for the built-in one.")
        private String model;

        @ArgGroup(exclusive = false)
        private Import imported;
    }

    /** A model that others have quantised. */
    private static final class Import {
        @Option(
                names = "--import",
                paramLabel = "FILE",
                required = true,
                description = {
                    "A transformer's NVFP4 weights as ModelOpt, compressed-tensors or ComfyUI",
                    "write them."
                })
        private Path file;

        @Option(
                names = "--against",
                paramLabel = "MODEL",
                required = true,
                description = "The dense model that they were made of.")
        private String model;
    }

    @Override
    public Integer call() throws JsonProcessingException {
        Device device = options.device();
        Quantization quantization = quantization(device);
        try (Display display = Display.of(json, quiet);
                Quantizer quantizer = new Quantizer(quantization);
                Interrupt interrupt = Interrupt.calls(quantizer::cancel)) {
            display.device(device, options.whyNotCuda());
            Receipt receipt = quantizer.write(output, display);
            if (json) {
                System.out.println(new ObjectMapper().writeValueAsString(receipt.json()));
            } else if (!quiet) {
                System.out.print(ReceiptText.summary(receipt));
            }
        }
        return ExitCode.DONE;
    }

    private Quantization quantization(Device device) {
        if (checks < 0) {
            throw new IllegalArgumentException(
                    "--check is %d, expected 0 or more".formatted(checks));
        }
        List<TextToVideo> calibration =
                calibrate == null ? List.of() : clips(PromptFile.read(calibrate));
        List<TextToVideo> all = calibration.isEmpty() ? clips(List.of(CHECKED)) : calibration;
        Path model =
                ModelOptions.modelFolder(
                        source.model == null ? source.imported.model : source.model);
        Quantization quantization =
                Quantization.of(model, device)
                        .withFourOverSix(fourOverSix)
                        .withRank(rank)
                        .withCalibration(calibration)
                        .withChecks(all.subList(0, Math.min(checks, all.size())));
        if (source.imported != null) {
            quantization = quantization.withImported(source.imported.file);
        }
        if (policy != null) {
            quantization = quantization.withLayers(LayerPolicy.read(policy));
        }
        return quantization;
    }

    private List<TextToVideo> clips(List<String> prompts) {
        return IntStream.range(0, prompts.size())
                .mapToObj(i -> clip(prompts.get(i), seed + i))
                .toList();
    }

    private TextToVideo clip(String prompt, long clipSeed) {
        TextToVideo.Builder clip = TextToVideo.prompt(prompt).seed(clipSeed);
        ClipOptions.set(size, text -> ClipOptions.setSize(text, clip));
        ClipOptions.set(frames, clip::frames);
        ClipOptions.set(steps, clip::steps);
        return clip.build();
    }
}
