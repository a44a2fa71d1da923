package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.ImageToVideo;
import io.sanavideo.Latents;
import io.sanavideo.StartImage;
import io.sanavideo.TextToVideo;
import io.sanavideo.VideoRequest;
import io.sanavideo.schedule.SchedulerConfig;
import io.sanavideo.text.Instruction;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A request with every blank filled in and every value checked against the model: what a generation
 * does, and what its recipe says it did.
 *
 * @param prompt as given
 * @param negativePrompt as given, or the model's
 * @param motionScore null for none
 * @param instruction what is put before the prompt; may be {@link Instruction#NONE}
 * @param maxTokens text tokens that the transformer sees
 * @param format of the clip
 * @param steps denoising steps
 * @param guidance classifier-free guidance; above 1 a second branch runs
 * @param schedule sampler and flow shift
 * @param seed of the initial noise
 * @param initialLatents in place of the seed's noise, or null
 * @param image the first frame, or null where the clip comes from text alone
 */
public record Settings(
        String prompt,
        String negativePrompt,
        Integer motionScore,
        Instruction instruction,
        int maxTokens,
        ClipFormat format,
        int steps,
        double guidance,
        SchedulerConfig schedule,
        long seed,
        Latents initialLatents,
        StartImage image)
        implements Job {
    /** Seeds drawn for requests without one: small enough to be retyped. */
    private static final long SEED_BOUND = 1L << 32;

    /**
     * @throws IllegalArgumentException when the model cannot do what is asked, naming the nearest
     *     that it can
     */
    static Settings of(
            VideoRequest asked,
            GenerationDefaults defaults,
            ModelLimits limits,
            SchedulerConfig schedule) {
        TextToVideo request = asked.text();
        StartImage image = asked instanceof ImageToVideo start ? start.image() : null;
        if (request.prompt().isBlank()) {
            throw new IllegalArgumentException("the prompt is empty: say what to show");
        }
        int width = or(request.width(), defaults.width());
        int height = or(request.height(), defaults.height());
        limits.requireSize(width, height);
        double fps = or(request.fps(), defaults.fps());
        int frames =
                request.seconds() != null
                        ? limits.framesOf(request.seconds(), fps)
                        : or(request.frames(), defaults.frames());
        limits.requireFrames(frames);
        if (image != null) {
            limits.requireFramesAfterFirst(frames);
        }
        return new Settings(
                request.prompt(),
                or(request.negativePrompt(), defaults.negativePrompt()),
                request.motionScore(),
                instruction(request.instruction(), defaults.instruction()),
                defaults.maxTokens(),
                new ClipFormat(width, height, frames, fps),
                or(request.steps(), defaults.steps()),
                or(request.guidance(), defaults.guidance()),
                schedule(request, defaults, schedule),
                or(request.seed(), ThreadLocalRandom.current().nextLong(SEED_BOUND)),
                request.initialLatents(),
                image);
    }

    @Override
    public Settings settings() {
        return this;
    }

    /** The same with another number of steps. */
    Settings withSteps(int newSteps) {
        return with(format, newSteps, initialLatents);
    }

    /** The same with another number of frames, from noise of its own. */
    Settings withFrames(int frames) {
        return with(
                new ClipFormat(format.width(), format.height(), frames, format.fps()), steps, null);
    }

    /** The same for another format, whatever noise was given. */
    Settings withFormat(ClipFormat newFormat) {
        return with(newFormat, steps, null);
    }

    /** The same with levels shifted otherwise. */
    Settings withFlowShift(double shift) {
        return with(format, steps, initialLatents, schedule.withFlowShift(shift));
    }

    private Settings with(ClipFormat newFormat, int newSteps, Latents latents) {
        return with(newFormat, newSteps, latents, schedule);
    }

    private Settings with(
            ClipFormat newFormat, int newSteps, Latents latents, SchedulerConfig newSchedule) {
        return new Settings(
                prompt,
                negativePrompt,
                motionScore,
                instruction,
                maxTokens,
                newFormat,
                newSteps,
                guidance,
                newSchedule,
                seed,
                latents,
                image);
    }

    private static SchedulerConfig schedule(
            TextToVideo request, GenerationDefaults defaults, SchedulerConfig schedule) {
        SchedulerConfig chosen = schedule;
        if (request.sampler() != null) {
            chosen = chosen.withSampler(request.sampler());
        } else if (defaults.sampler() != null) {
            chosen = chosen.withSampler(defaults.sampler());
        }
        if (request.flowShift() != null) {
            chosen = chosen.withFlowShift(request.flowShift());
        } else if (defaults.flowShift() != null) {
            chosen = chosen.withFlowShift(defaults.flowShift());
        }
        return chosen;
    }

    private static Instruction instruction(Instruction asked, boolean byDefault) {
        return or(asked, byDefault ? Instruction.standard() : Instruction.NONE);
    }

    private static <T> T or(T asked, T fallback) {
        return asked != null ? asked : fallback;
    }
}
