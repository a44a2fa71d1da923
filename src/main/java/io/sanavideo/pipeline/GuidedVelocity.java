package io.sanavideo.pipeline;

import io.sanavideo.NumericsException;
import io.sanavideo.model.Observer;
import io.sanavideo.model.TransformerRun;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Recording;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.Arrays;

/**
 * The transformer's velocity of a latent clip, guided away from the negative prompt where there is
 * one. The branches run in turn: a clip of a released model fills any card by itself, and together
 * they would take twice the activations.
 *
 * <p>The first call runs the ops one by one, which also finds them their scratch memory; later
 * calls repeat them from a recording, unless blocks are streamed: their weights have no place of
 * their own. Calls with dense activations have a recording of their own.
 */
final class GuidedVelocity implements AutoCloseable {
    private final Scope scope;
    private final Ops ops;
    private final TransformerRun run;
    private final Branch prompt;
    private final Branch negative;
    private final Tensor latents;
    private final Tensor velocity;
    private final Tensor away;
    private final float[] guide;
    private final int held;
    private final boolean isStreamed;
    private final Tensor moving;
    private final Observer observer;
    private final Way quantized = new Way();
    private final Way dense = new Way();

    /** Steps whose ops are the same. */
    private static final class Way {
        private boolean hasRun;
        private Recording recording;
    }

    /**
     * @param run for clips of the latents' size; not closed with this
     * @param prompt its text and what was made under it before; not closed with this
     * @param negative the negative prompt's; null where nothing is guided
     * @param latents f32 [frames, height, width, channels]; read at each call
     * @param held frames at the beginning that are clean and stay so: their tokens are at timestep
     *     0
     * @param observer sees what the network computes; null for none
     */
    GuidedVelocity(
            TransformerRun run,
            Branch prompt,
            Branch negative,
            double guidance,
            Tensor latents,
            int held,
            Observer observer) {
        this.run = run;
        this.prompt = prompt;
        this.negative = negative;
        this.latents = latents;
        this.observer = observer;
        Context context = latents.context();
        ops = context.ops();
        scope = new Scope(context);
        this.held = held;
        isStreamed = run.isStreamed();
        guide = new float[] {(float) (1 - guidance), (float) guidance};
        try {
            velocity = scope.tensor(DType.F32, latents.shape());
            moving = velocity.slice(held, latents.size(0) - held);
            away = negative != null ? scope.tensor(DType.F32, latents.shape()) : null;
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    /**
     * The velocity of the frames that are not held, at a timestep; valid until the next call.
     *
     * @param isDense whether no activation is quantised, whatever a layer's policy
     * @throws NumericsException when it is not finite, naming the block and op that made it so
     */
    Tensor at(double timestep, boolean isDense) {
        run.setTime(timesteps(timestep));
        run.setDense(isDense);
        Way way = isDense ? dense : quantized;
        if (!way.hasRun || observer != null || isStreamed) {
            predict();
            way.hasRun = true;
        } else {
            if (way.recording == null) {
                way.recording = scope.own(scope.context().record(this::predict));
            }
            way.recording.play();
        }
        try {
            ops.requireFinite(velocity);
        } catch (NumericsException e) {
            throw new NumericsException(
                    "the velocity holds NaN or infinity, which come from " + source(), e);
        }
        return moving;
    }

    /** One for all tokens, or one a frame where some are held. */
    private double[] timesteps(double timestep) {
        double[] timesteps = new double[held == 0 ? 1 : (int) latents.size(0)];
        Arrays.fill(timesteps, held, timesteps.length, timestep);
        return timesteps;
    }

    private void predict() {
        run.velocity(latents, prompt.text(), prompt.before(), velocity, observer);
        if (negative != null) {
            run.velocity(latents, negative.text(), negative.before(), away, observer);
            ops.combine(guide, new Tensor[] {away, velocity}, velocity);
        }
    }

    /** Runs the branches again and looks at what each block's ops return. */
    private String source() {
        String found = source(prompt);
        if (found == null && negative != null) {
            found = source(negative);
        }
        return found != null ? found : "the output projection";
    }

    private String source(Branch branch) {
        String[] found = new String[1];
        Observer seeker =
                (name, tensor) -> {
                    if (found[0] == null && !isFinite(tensor)) {
                        found[0] = name;
                    }
                };
        run.velocity(latents, branch.text(), branch.before(), velocity, seeker);
        return found[0] == null ? null : described(found[0]);
    }

    private boolean isFinite(Tensor tensor) {
        try {
            ops.requireFinite(tensor);
            return true;
        } catch (NumericsException e) {
            return false;
        }
    }

    /** "block3.attn1" in words. */
    private static String described(String name) {
        int dot = name.indexOf('.');
        if (!name.startsWith("block")) {
            return "the patch embedding";
        }
        String block = "block " + name.substring("block".length(), dot < 0 ? name.length() : dot);
        if (dot < 0) {
            return "a gate of " + block;
        }
        return switch (name.substring(dot + 1)) {
                    case "attn1" -> "the linear attention of ";
                    case "attn2" -> "the attention to the text of ";
                    default -> "the feed-forward of ";
                }
                + block;
    }

    @Override
    public void close() {
        scope.close();
    }
}
