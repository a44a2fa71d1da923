package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;
import java.util.OptionalDouble;

/**
 * A transformer at work on latent clips of one size: its activation buffers, made once and used at
 * every step. Not safe for use by several threads.
 */
public final class TransformerRun implements AutoCloseable {
    private final SanaTransformer transformer;
    private final TokenGrid grid;
    private final double guidance;
    private final Activations buffers;
    private TimeEmbedding.Values time;
    private boolean dense;
    private long firstFrame;

    /**
     * @param frames latent frames, a multiple of the patch size as are height and width
     * @param height latent rows
     * @param width latent columns
     * @param guidance what the network is told where its config has guidance_embeds, else empty
     * @throws IllegalArgumentException when the size is not one the network can do, or guidance is
     *     given to a network that takes none or the other way round
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public TransformerRun(
            SanaTransformer transformer,
            int frames,
            int height,
            int width,
            OptionalDouble guidance) {
        TransformerConfig config = transformer.config();
        if (guidance.isPresent() != config.guidanceEmbeds()) {
            throw new IllegalArgumentException(
                    "guidance is %s, expected %s: the model's guidance_embeds is %s"
                            .formatted(
                                    guidance,
                                    config.guidanceEmbeds() ? "a value" : "none",
                                    config.guidanceEmbeds()));
        }
        this.transformer = transformer;
        this.guidance = guidance.orElse(0);
        grid = TokenGrid.of(config, frames, height, width);
        buffers =
                new Activations(
                        transformer.context(),
                        config,
                        transformer.compute(),
                        grid,
                        transformer.quantizes());
    }

    /** Number of tokens: patches of the latent. */
    public int tokens() {
        return grid.tokens();
    }

    /** Whether a block's weights are in memory only while it runs. */
    public boolean isStreamed() {
        return transformer.isStreamed();
    }

    /**
     * Predicts the velocity, noise minus clean latent.
     *
     * @param latents f32 [frames, height, width, inChannels]
     * @param timesteps in 0 to 1000, one for all tokens, one a frame of the token grid, or as many
     *     as divide the tokens evenly, in their order
     * @param velocity out: f32 [frames, height, width, outChannels]
     */
    public void velocity(
            Tensor latents, double[] timesteps, TransformerText text, Tensor velocity) {
        velocity(latents, timesteps, text, velocity, null);
    }

    /**
     * As {@link #velocity(Tensor, double[], TransformerText, Tensor)}.
     *
     * @param observer sees intermediate tensors; null for none
     */
    public void velocity(
            Tensor latents,
            double[] timesteps,
            TransformerText text,
            Tensor velocity,
            Observer observer) {
        setTime(timesteps);
        velocity(latents, text, null, velocity, observer);
    }

    /**
     * As the others, at the timesteps of the last {@link #setTime}, as a chunk that goes on from
     * others. It takes nothing from the host and may be recorded.
     *
     * @param before what the chunks before have left; null for none
     * @param observer null for none
     */
    public void velocity(
            Tensor latents,
            TransformerText text,
            ChunkState before,
            Tensor velocity,
            Observer observer) {
        transformer.embedPatches(latents, buffers);
        if (observer != null) {
            observer.see("patch_embedding", buffers.stream);
        }
        forward(text, before, null, dense, observer);
        transformer.projectOut(buffers, time, velocity);
    }

    /**
     * Reads a clean chunk, at timestep 0. Activations are dense: what is quantised here would be
     * read by all that follows.
     *
     * @param before what the chunks before have left; null for none
     * @param own out: this chunk's own sums and last frames
     */
    void remember(Tensor latents, TransformerText text, ChunkState before, ChunkState own) {
        setTime(new double[] {0});
        transformer.embedPatches(latents, buffers);
        forward(text, before, own, true, null);
    }

    private void forward(
            TransformerText text,
            ChunkState before,
            ChunkState own,
            boolean isDense,
            Observer observer) {
        transformer
                .blocks()
                .forEach(
                        (block, i) ->
                                block.forward(
                                        buffers,
                                        time,
                                        text.keysValues(i),
                                        before == null ? null : before.layer(i),
                                        own == null ? null : own.layer(i),
                                        isDense,
                                        observer));
    }

    /**
     * Says where in a longer clip the frames are, from which their rotations follow; 0 before the
     * first call. Positions are absolute, and may lie beyond what the network was trained on.
     *
     * @param latentFrame the first frame's place, from 0; a multiple of the patch size
     */
    public void setFirstFrame(long latentFrame) {
        int patch = transformer.config().patchFrames();
        if (latentFrame < 0 || latentFrame % patch != 0) {
            throw new IllegalArgumentException(
                    "the first frame is %d, expected 0 or a multiple of %d above it"
                            .formatted(latentFrame, patch));
        }
        if (latentFrame / patch != firstFrame) {
            firstFrame = latentFrame / patch;
            buffers.setFirstFrame(transformer.context(), grid, firstFrame);
        }
    }

    /**
     * Says at which timesteps velocities are.
     *
     * @param timesteps as for {@link #velocity(Tensor, double[], TransformerText, Tensor)}
     */
    public void setTime(double[] timesteps) {
        int groups = timesteps.length;
        if (groups == 0 || grid.tokens() % groups != 0) {
            throw new IllegalArgumentException(
                    "%d timesteps were given, expected a divisor of the %d tokens"
                            .formatted(groups, grid.tokens()));
        }
        if (time == null || time.groups() != groups) {
            if (time != null) {
                time.close();
            }
            time = transformer.time().values(transformer.context(), groups, guidance);
        }
        time.set(timesteps);
    }

    /** Whether activations stay dense in the velocities that follow, whatever a layer's policy. */
    public void setDense(boolean newDense) {
        dense = newDense;
    }

    @Override
    public void close() {
        if (time != null) {
            time.close();
        }
        buffers.close();
    }
}
