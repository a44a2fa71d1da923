package io.sanavideo;

import io.sanavideo.text.Instruction;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A request for a clip from text. What is left out ({@code null}) is as the model's {@code
 * generation_defaults.json} says, or as the released models were made to run.
 *
 * @param prompt what to show
 * @param negativePrompt what to steer away from
 * @param motionScore appended to the prompt as {@code motion score: N.}, as SANA-Video was trained
 *     with; none when null
 * @param width pixels, a multiple of what the model needs
 * @param height pixels, likewise
 * @param frames a multiple of the VAE's temporal factor, plus 1; at most one of frames and seconds
 * @param seconds length; the nearest frame count that the model can do is taken
 * @param fps frames a second of the clip, above 0
 * @param steps denoising steps, from 1
 * @param guidance classifier-free guidance; above 1 it costs a second pass a step
 * @param flowShift shift of the noise schedule, above 0
 * @param sampler how steps are taken
 * @param seed of the initial noise, as in PyTorch's CPU generator; drawn at random when null
 * @param initialLatents the initial noise itself, in place of the seed's
 * @param chunk latent frames of a chunk, where the clip is made chunk by chunk in memory that does
 *     not grow with it; {@link #WHOLE_CLIP} to make it at once; where null the model decides
 * @param instruction what is put before the prompt, {@link #NO_INSTRUCTION} for nothing; where null
 *     the model decides
 */
public record TextToVideo(
        String prompt,
        String negativePrompt,
        Integer motionScore,
        Integer width,
        Integer height,
        Integer frames,
        Double seconds,
        Double fps,
        Integer steps,
        Double guidance,
        Double flowShift,
        Sampler sampler,
        Long seed,
        Latents initialLatents,
        Integer chunk,
        Instruction instruction)
        implements VideoRequest {
    /** As {@link #instruction()}: no instruction. */
    public static final Instruction NO_INSTRUCTION = Instruction.NONE;

    /** As {@link #chunk()}: all frames are denoised together. */
    public static final int WHOLE_CLIP = 0;

    public TextToVideo {
        Objects.requireNonNull(prompt, "prompt");
        if (frames != null && seconds != null) {
            throw new IllegalArgumentException(
                    "frames is %d and seconds is %s, expected at most one of them"
                            .formatted(frames, seconds));
        }
        require(motionScore == null || motionScore >= 0, "motion score", motionScore, "0 or more");
        require(width == null || width >= 1, "width", width, "1 or more pixels");
        require(height == null || height >= 1, "height", height, "1 or more pixels");
        require(frames == null || frames >= 1, "frames", frames, "1 or more");
        require(seconds == null || isPositive(seconds), "seconds", seconds, "above 0");
        require(
                fps == null || (isPositive(fps) && fps <= 1000),
                "fps",
                fps,
                "above 0, at most 1000");
        require(steps == null || (steps >= 1 && steps <= 1000), "steps", steps, "1 to 1000");
        require(
                guidance == null || (Double.isFinite(guidance) && guidance >= 0),
                "guidance",
                guidance,
                "0 or more");
        require(chunk == null || chunk >= 0, "chunk", chunk, "0 or more latent frames");
        require(flowShift == null || isPositive(flowShift), "flow shift", flowShift, "above 0");
    }

    private static boolean isPositive(double value) {
        return Double.isFinite(value) && value > 0;
    }

    private static void require(boolean holds, String name, Object value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "%s is %s, expected %s".formatted(name, value, expected));
        }
    }

    /** The same for another prompt. */
    public TextToVideo withPrompt(String newPrompt) {
        return copy(newPrompt).build();
    }

    /** The same from other noise. */
    public TextToVideo withSeed(long newSeed) {
        return copy(prompt).seed(newSeed).build();
    }

    private Builder copy(String newPrompt) {
        Builder copy = new Builder(newPrompt);
        copy.negativePrompt = negativePrompt;
        copy.motionScore = motionScore;
        copy.width = width;
        copy.height = height;
        copy.frames = frames;
        copy.seconds = seconds;
        copy.fps = fps;
        copy.steps = steps;
        copy.guidance = guidance;
        copy.flowShift = flowShift;
        copy.sampler = sampler;
        copy.seed = seed;
        copy.initialLatents = initialLatents;
        copy.chunk = chunk;
        copy.instruction = instruction;
        return copy;
    }

    @Override
    public TextToVideo text() {
        return this;
    }

    /** Starts a request. */
    public static Builder prompt(String prompt) {
        return new Builder(prompt);
    }

    /** Builds a {@link TextToVideo}; what is not set is the model's default. */
    public static final class Builder {
        private final String prompt;
        private String negativePrompt;
        private Integer motionScore;
        private Integer width;
        private Integer height;
        private Integer frames;
        private Double seconds;
        private Double fps;
        private Integer steps;
        private Double guidance;
        private Double flowShift;
        private Sampler sampler;
        private Long seed;
        private Latents initialLatents;
        private Integer chunk;
        private Instruction instruction;

        private Builder(String prompt) {
            this.prompt = prompt;
        }

        public Builder negativePrompt(String value) {
            negativePrompt = value;
            return this;
        }

        public Builder motionScore(int value) {
            motionScore = value;
            return this;
        }

        /** Width and height in pixels. */
        public Builder size(int widthPixels, int heightPixels) {
            width = widthPixels;
            height = heightPixels;
            return this;
        }

        public Builder frames(int value) {
            frames = value;
            return this;
        }

        public Builder seconds(double value) {
            seconds = value;
            return this;
        }

        public Builder fps(double value) {
            fps = value;
            return this;
        }

        public Builder steps(int value) {
            steps = value;
            return this;
        }

        public Builder guidance(double value) {
            guidance = value;
            return this;
        }

        public Builder flowShift(double value) {
            flowShift = value;
            return this;
        }

        public Builder sampler(Sampler value) {
            sampler = value;
            return this;
        }

        public Builder seed(long value) {
            seed = value;
            return this;
        }

        public Builder initialLatents(Latents value) {
            initialLatents = value;
            return this;
        }

        /** Latent frames of a chunk, or {@link TextToVideo#WHOLE_CLIP}. */
        public Builder chunk(int value) {
            chunk = value;
            return this;
        }

        public Builder instruction(Instruction value) {
            instruction = value;
            return this;
        }

        /**
         * The instruction in a text file; the path {@code none} is {@link
         * TextToVideo#NO_INSTRUCTION}.
         *
         * @throws ModelFormatException when the file is missing, empty or not UTF-8
         */
        public Builder instruction(Path file) {
            return instruction(
                    file.toString().equals("none") ? NO_INSTRUCTION : Instruction.load(file));
        }

        /**
         * @throws IllegalArgumentException naming the first value that no model can honour
         */
        public TextToVideo build() {
            return new TextToVideo(
                    prompt,
                    negativePrompt,
                    motionScore,
                    width,
                    height,
                    frames,
                    seconds,
                    fps,
                    steps,
                    guidance,
                    flowShift,
                    sampler,
                    seed,
                    initialLatents,
                    chunk,
                    instruction);
        }
    }
}
