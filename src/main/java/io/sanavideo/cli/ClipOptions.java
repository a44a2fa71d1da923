package io.sanavideo.cli;

import io.sanavideo.ImageToVideo;
import io.sanavideo.Latents;
import io.sanavideo.Sampler;
import io.sanavideo.StartImage;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.VideoRequest;
import io.sanavideo.pipeline.FrameSize;
import io.sanavideo.pipeline.LatentsFile;
import io.sanavideo.pipeline.StoryFile;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that say what a clip is like; {@code generate} and {@code plan} share them. */
final class ClipOptions {
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

    @ArgGroup private Start start;

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
            paramLabel = "dpm++|unipc|euler|few-step",
            description = "How steps are taken.")
    private String sampler;

    @Option(
            names = "--chunk",
            paramLabel = "N|off",
            description = {
                "Makes the clip N latent frames at a time, in memory that does not grow with it, or at",
                "once (default: in chunks where the model was trained for it and the clip is long)."
            })
    private String chunk;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "Of the noise; the same seed makes the same clip (default: drawn at random).")
    private Long seed;

    @Option(
            names = "--latents-in",
            paramLabel = "FILE",
            description = "The initial noise: 'latents' [1, C, T, H, W] of a safetensors file.")
    private Path latentsIn;

    /** The folder of the model. */
    Path model() {
        return ModelOptions.modelFolder(model);
    }

    /** What was asked for as the seed, or one drawn at random. */
    long firstSeed() {
        return seed != null ? seed : ThreadLocalRandom.current().nextLong(1L << 32);
    }

    /** What a clip is made from besides its prompt, or nulls: read once for a batch. */
    record Material(Latents initialLatents, StartImage image) {}

    /**
     * Reads the files that were named.
     *
     * @throws io.sanavideo.ModelFormatException when one cannot be read
     */
    Material material() {
        return new Material(
                latentsIn == null ? null : LatentsFile.read(latentsIn),
                start == null ? null : start.image());
    }

    /**
     * A clip of a prompt.
     *
     * @param material as {@link #material} read it
     */
    VideoRequest request(String prompt, long clipSeed, Material material) {
        TextToVideo.Builder request = TextToVideo.prompt(prompt);
        set(request);
        request.seed(clipSeed);
        set(material.initialLatents(), request::initialLatents);
        TextToVideo text = request.build();
        return material.image() == null ? text : new ImageToVideo(material.image(), text);
    }

    /**
     * The story of a file; what was given on the command line takes the place of what it says.
     *
     * @throws IllegalArgumentException when something was given that a story has in its beats
     * @throws io.sanavideo.ModelFormatException when the file is broken, naming line and column
     */
    Story story(Path file) {
        if (start != null || latentsIn != null || length != null) {
            throw new IllegalArgumentException(
                    "--image, --video, --latents-in, --frames or --seconds was given, expected none: a story's beats have their own images and lengths");
        }
        return StoryFile.read(file, this::set);
    }

    private void set(TextToVideo.Builder request) {
        set(seed, request::seed);
        set(size, text -> setSize(text, request));
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
        set(chunk, text -> request.chunk(chunkFrames(text)));
    }

    private static int chunkFrames(String text) {
        if (text.equals("off")) {
            return TextToVideo.WHOLE_CLIP;
        }
        if (!text.matches("[1-9]\\d{0,4}")) {
            throw new IllegalArgumentException(
                    "--chunk is '%s', expected a number of latent frames from 1 on, or off"
                            .formatted(text));
        }
        return Integer.parseInt(text);
    }

    /** Sets the pixels of a clip as {@code --size} says. */
    static void setSize(String size, TextToVideo.Builder request) {
        FrameSize parsed = FrameSize.parse("--size", size);
        request.size(parsed.width(), parsed.height());
    }

    /** Hands on what was given. */
    static <T> void set(T value, Consumer<T> setter) {
        if (value != null) {
            setter.accept(value);
        }
    }

    /** What the clip begins with. */
    private static final class Start {
        @Option(
                names = "--image",
                paramLabel = "FILE",
                description =
                        "The picture that the clip begins with; its middle is cut out and scaled (Lanczos) to the clip's size.")
        private Path image;

        @ArgGroup(exclusive = false)
        private Continuation continuation;

        StartImage image() {
            return image != null
                    ? StartImage.read(image)
                    : StartImage.lastFrameOf(continuation.video);
        }
    }

    /** The clip goes on where another ended. */
    private static final class Continuation {
        @Option(
                names = "--video",
                paramLabel = "FILE",
                required = true,
                description = "With --continue: a clip whose last frame this one begins with.")
        private Path video;

        @Option(
                names = "--continue",
                required = true,
                description = "Goes on where the clip of --video ends.")
        private boolean continues;
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
