package io.sanavideo.cli;

import io.sanavideo.Generated;
import io.sanavideo.Latents;
import io.sanavideo.Sampler;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.media.Quality;
import io.sanavideo.pipeline.LatentsFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video generate}: clips from prompts. */
@Command(
        name = "generate",
        description = "Makes a clip from a prompt, or a batch of clips.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "What is left out is as the model's generation_defaults.json says, or as the released models",
            "were made to run. In a batch the files are named after -o: clip-1.mp4, clip-2.mp4, ..."
        })
final class GenerateCommand implements Callable<Integer> {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

    @ArgGroup(multiplicity = "1")
    private PromptSource source;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "A .mp4, a .gif, or a folder for .png images.")
    private Path output;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            defaultValue = "demo",
            description =
                    "A model folder in the diffusers layout (default: ${DEFAULT-VALUE}, the built-in one).")
    private String model;

    @Option(names = "--negative", paramLabel = "TEXT", description = "What to steer away from.")
    private String negative;

    @Option(
            names = "--motion",
            paramLabel = "N",
            description =
                    "Motion score, appended to the prompt; more is livelier (10 to 30 is usual).")
    private Integer motion;

    @Option(
            names = "--instruction",
            paramLabel = "FILE|none",
            description = "The instruction put before the prompt (default: the model's).")
    private Path instruction;

    @Option(names = "--size", paramLabel = "WxH", description = "Pixels.")
    private String size;

    @ArgGroup private Length length;

    @Option(names = "--fps", paramLabel = "N", description = "Frames a second.")
    private Double fps;

    @Option(names = "--steps", paramLabel = "N", description = "Denoising steps.")
    private Integer steps;

    @Option(
            names = "--guidance",
            paramLabel = "X",
            description = "Classifier-free guidance; 1 is off.")
    private Double guidance;

    @Option(names = "--flow-shift", paramLabel = "X", description = "Shift of the noise schedule.")
    private Double flowShift;

    @Option(
            names = "--sampler",
            paramLabel = "dpm++|unipc|euler",
            description = "How steps are taken.")
    private String sampler;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "Of the noise; the same seed makes the same clip (default: drawn at random).")
    private Long seed;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "1",
            description = "Clips of each prompt, with the seeds that follow.")
    private int count;

    @Option(
            names = "--latents-in",
            paramLabel = "FILE",
            description = "The initial noise: 'latents' [1, C, T, H, W] of a safetensors file.")
    private Path latentsIn;

    @Option(
            names = "--latents-out",
            paramLabel = "FILE",
            description = "Writes the final latents, in the same form.")
    private Path latentsOut;

    @Option(
            names = "--quality",
            paramLabel = "low|medium|high",
            defaultValue = "medium",
            description = "Of the mp4 (default: ${DEFAULT-VALUE}).")
    private Quality quality;

    @Option(names = "--json", description = "Prints one event a line on standard output.")
    private boolean json;

    @Option(names = "--quiet", description = "Prints nothing but errors.")
    private boolean quiet;

    @Mixin private ModelOptions options;

    @Override
    public Integer call() {
        List<Job> jobs = jobs();
        try (Display display = Display.of(json, quiet);
                SanaVideo sana = open(display);
                Interrupt interrupt = Interrupt.cancels(sana)) {
            for (Job job : jobs) {
                display.begin(job.output(), job.number(), jobs.size());
                Generated generated =
                        sana.generateTo(job.request(), job.output(), quality, display);
                if (job.latentsOut() != null) {
                    LatentsFile.write(job.latentsOut(), generated.latents());
                }
                display.done(job.output(), generated);
            }
        }
        return ExitCode.DONE;
    }

    private SanaVideo open(Display display) {
        return SanaVideo.open(
                ModelOptions.modelFolder(model), options.device(), options.precision(), display);
    }

    /** One clip of the batch, numbered from 1. */
    private record Job(int number, TextToVideo request, Path output, Path latentsOut) {}

    private List<Job> jobs() {
        if (count < 1) {
            throw new IllegalArgumentException(
                    "--count is %d, expected 1 or more".formatted(count));
        }
        List<String> prompts = source.prompts();
        int clips = Math.multiplyExact(prompts.size(), count);
        long firstSeed = seed != null ? seed : ThreadLocalRandom.current().nextLong(1L << 32);
        Latents initial = latentsIn == null ? null : LatentsFile.read(latentsIn);
        List<Job> jobs = new ArrayList<>();
        for (String prompt : prompts) {
            for (int i = 0; i < count; i++) {
                int number = jobs.size() + 1;
                jobs.add(
                        new Job(
                                number,
                                request(prompt, firstSeed + i, initial),
                                numbered(output, number, clips),
                                latentsOut == null ? null : numbered(latentsOut, number, clips)));
            }
        }
        return jobs;
    }

    private TextToVideo request(String prompt, long clipSeed, Latents initial) {
        TextToVideo.Builder request = TextToVideo.prompt(prompt).seed(clipSeed);
        if (size != null) {
            Matcher parts = SIZE.matcher(size);
            if (!parts.matches()) {
                throw new IllegalArgumentException(
                        "--size is '%s', expected WIDTHxHEIGHT, such as 832x480".formatted(size));
            }
            request.size(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)));
        }
        set(negative, request::negativePrompt);
        set(motion, request::motionScore);
        set(instruction, request::instruction);
        if (length != null) {
            set(length.frames, request::frames);
            set(length.seconds, request::seconds);
        }
        set(fps, request::fps);
        set(steps, request::steps);
        set(guidance, request::guidance);
        set(flowShift, request::flowShift);
        set(sampler == null ? null : Sampler.parse(sampler), request::sampler);
        set(initial, request::initialLatents);
        return request.build();
    }

    private static <T> void set(T value, Consumer<T> setter) {
        if (value != null) {
            setter.accept(value);
        }
    }

    /** clip.mp4 as it is for one clip; clip-01.mp4 and so on for ten. */
    private static Path numbered(Path path, int number, int clips) {
        if (clips == 1) {
            return path;
        }
        String name = path.getFileName().toString();
        int dot = name.lastIndexOf('.') < 1 ? name.length() : name.lastIndexOf('.');
        int digits = Integer.toString(clips).length();
        String suffix = "-" + "0".repeat(digits - Integer.toString(number).length()) + number;
        return path.resolveSibling(name.substring(0, dot) + suffix + name.substring(dot));
    }

    /** Where the prompts come from. */
    private static final class PromptSource {
        @Parameters(paramLabel = "PROMPT", description = "What to show.")
        private String prompt;

        @Option(
                names = "--prompt-file",
                paramLabel = "FILE",
                description = "A prompt a line; more than one makes a batch.")
        private Path file;

        List<String> prompts() {
            return file == null ? List.of(prompt) : PromptFile.read(file);
        }
    }

    /** How long the clip is. */
    private static final class Length {
        @Option(names = "--frames", paramLabel = "N", description = "Length in frames.")
        private Integer frames;

        @Option(
                names = "--seconds",
                paramLabel = "S",
                description = "Length in seconds; the nearest frame count the model can make.")
        private Double seconds;
    }
}
