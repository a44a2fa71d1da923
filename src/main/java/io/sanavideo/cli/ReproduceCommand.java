package io.sanavideo.cli;

import io.sanavideo.Device;
import io.sanavideo.Lora;
import io.sanavideo.Materials;
import io.sanavideo.Model;
import io.sanavideo.RecordedClip;
import io.sanavideo.Reproduction;
import io.sanavideo.StartImage;
import io.sanavideo.pipeline.LatentsFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sana-video reproduce}: a clip again from its own recipe. */
@Command(
        name = "reproduce",
        description =
                "Makes a clip again from the recipe in its file, and says whether every frame is the same.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Nothing is written. Compared are the frames as they were before they were",
            "encoded, by the hash in the file. Exits with 0 when they are identical, and with 4",
            "when they differ: it then says what is not the same here, of build, device,",
            "libraries, weights and settings."
        })
final class ReproduceCommand implements Callable<Integer> {
    private static final String DEMO = "demo";

    @Spec private CommandSpec spec;

    @Parameters(
            paramLabel = "CLIP",
            description = "A .mp4, a .gif, or a folder of .png images, as generate wrote it.")
    private Path file;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description = "The model's folder (default: the built-in one, where it made the clip).")
    private String model;

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description =
                    "A picture that the clip or a beat begins with; found by its pixels, in any order.")
    private List<Path> images = new ArrayList<>();

    @Option(
            names = "--video",
            paramLabel = "FILE",
            description = "A clip whose last frame is such a picture.")
    private List<Path> videos = new ArrayList<>();

    @Option(
            names = "--latents-in",
            paramLabel = "FILE",
            description = "The initial noise, where it was given.")
    private Path latentsIn;

    @Option(
            names = "--lora",
            paramLabel = "FILE",
            description = "A LoRA; found by its content, its scale is the recipe's.")
    private List<Path> loras = new ArrayList<>();

    @Option(
            names = "--trust",
            description = "Runs a quantised model without a receipt that fits its weights.")
    private boolean trusted;

    @Option(
            names = "--device",
            paramLabel = "cpu|cuda[:N]|auto",
            description = "Where to run (default: as the recipe says).")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "CPU threads (default: as the recipe says).")
    private Integer threads;

    @Option(names = "--json", description = "Prints one event a line on standard output.")
    private boolean json;

    @Option(names = "--quiet", description = "Prints nothing but errors.")
    private boolean quiet;

    @Override
    public Integer call() {
        RecordedClip clip = RecordedClip.read(file);
        Model base = base(clip);
        Optional<String> variant = clip.otherVariant(base.device());
        if (variant.isPresent()) {
            return VariantProcess.run(
                    variant.get(), spec.root().commandLine().getParseResult().originalArgs());
        }
        try (Display display = Display.of(json, quiet);
                Interrupt interrupt = Interrupt.calls(Thread.currentThread()::interrupt)) {
            display.device(base.device(), null);
            Reproduction again = Reproduction.of(clip, base, materials(), display);
            display.reproduced(again);
            return again.isIdentical() ? ExitCode.DONE : ExitCode.DIFFERS;
        }
    }

    private Model base(RecordedClip clip) {
        String made = clip.recipe().modelName();
        if (model == null && !made.equals(DEMO)) {
            throw new IllegalArgumentException(
                    "the model that made %s is '%s': name its folder by --model"
                            .formatted(file, made));
        }
        Model base =
                Model.at(ModelOptions.modelFolder(model == null ? DEMO : model), device(clip))
                        .withLoras(loras.stream().map(Lora::of).toList());
        return trusted ? base.withoutReceipt() : base;
    }

    private Device device(RecordedClip clip) {
        Device chosen = device == null ? clip.recipe().device() : Device.parse(device);
        if (threads == null) {
            return chosen;
        }
        if (chosen.kind() != Device.Kind.CPU) {
            throw new IllegalArgumentException(
                    "--threads is %d, expected none: the device is %s".formatted(threads, chosen));
        }
        return Device.cpu(threads);
    }

    private Materials materials() {
        List<StartImage> read = new ArrayList<>();
        images.forEach(image -> read.add(StartImage.read(image)));
        videos.forEach(video -> read.add(StartImage.lastFrameOf(video)));
        return new Materials(read, latentsIn == null ? null : LatentsFile.read(latentsIn));
    }
}
