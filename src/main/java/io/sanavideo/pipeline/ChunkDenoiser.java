package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.model.ChunkMemory;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.TransformerConfig;
import io.sanavideo.model.TransformerRun;
import io.sanavideo.model.TransformerText;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.ChunkNoise;
import io.sanavideo.schedule.FlowSampler;
import java.util.function.Consumer;

/**
 * Makes a video of any length, one chunk after the other, in memory that does not grow with it:
 * activations and latents of one chunk, and what each branch remembers. A chunk is denoised as a
 * clip is, with the state of those before it; its latents are handed on; then the transformer reads
 * them once more, clean, to remember them. Source: LongSANA (SANA-Video), inference with cached
 * chunks.
 *
 * <p>For one video after the other, from one thread. After a call that has thrown, only a chunk
 * that begins with a cut can follow.
 */
public final class ChunkDenoiser implements AutoCloseable {
    private final SanaTransformer transformer;
    private final TransformerConfig config;
    private final Context context;
    private final int height;
    private final int width;
    private final ChunkSampling sampling;
    private final Scope memories;
    private final ChunkMemory prompt;

    /** Null where nothing is guided. */
    private final ChunkMemory negative;

    // Of the newest chunk, until there is a newer one; null before the first. What it was made of
    // stays, since the next may have it remembered anew.
    private final Scope promptTexts;
    private final Scope negativeTexts;
    private Embeddings embeddings;
    private TransformerText promptText;
    private TransformerText negativeText;
    private final Scope buffers;
    private TransformerRun run;
    private Tensor latents;

    /** Whether a chunk was begun and did not end. */
    private boolean torn;

    /**
     * @param transformer not closed with this
     * @param height latent rows
     * @param width latent columns
     * @param window how many chunks a chunk sees behind it, or {@link ChunkMemory#ALL}
     * @throws IllegalArgumentException when size or window is none, or the network cannot go on
     *     from a chunk
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public ChunkDenoiser(
            SanaTransformer transformer,
            int height,
            int width,
            int window,
            ChunkSampling sampling) {
        this.transformer = transformer;
        this.height = height;
        this.width = width;
        this.sampling = sampling;
        config = transformer.config();
        context = transformer.context();
        memories = new Scope(context);
        promptTexts = new Scope(context);
        negativeTexts = new Scope(context);
        buffers = new Scope(context);
        try {
            prompt = memories.own(new ChunkMemory(transformer, height, width, window));
            negative =
                    sampling.guidance() > 1 && !config.guidanceEmbeds()
                            ? memories.own(new ChunkMemory(transformer, height, width, window))
                            : null;
        } catch (Throwable e) {
            memories.close();
            throw e;
        }
    }

    /** What the prompt's branch remembers. */
    public ChunkMemory prompt() {
        return prompt;
    }

    /** What the negative prompt's branch remembers; null where nothing is guided. */
    public ChunkMemory negative() {
        return negative;
    }

    /**
     * Makes the next chunk.
     *
     * @param sink is handed its latents as soon as they are done
     * @param stopIfCancelled called between steps
     * @param listener told of its steps, from 0
     * @throws IllegalStateException when the last one did not end and this does not begin anew
     * @throws IllegalArgumentException when its frames or noise do not fit, or there is no negative
     *     prompt where one is needed
     * @throws io.sanavideo.NumericsException when something is not finite
     * @throws io.sanavideo.DoesNotFitException when memory ends
     */
    public void denoise(
            Chunk chunk,
            Consumer<Latents> sink,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        requireFit(chunk);
        torn = true;
        try (Range phase = context.range("chunk")) {
            begin(chunk, stopIfCancelled);
            resize(chunk.frames());
            latents.upload(noiseOf(chunk));
            int held = chunk.image() == null ? 0 : 1;
            if (held > 0) {
                try (Tensor first = latents.slice(0, held)) {
                    first.upload(chunk.image().values());
                }
            }
            try (GuidedVelocity velocity =
                            new GuidedVelocity(
                                    run,
                                    new Branch(promptText, prompt.context()),
                                    negative == null
                                            ? null
                                            : new Branch(negativeText, negative.context()),
                                    sampling.guidance(),
                                    latents,
                                    held,
                                    null);
                    FlowSampler sampler = sampling.samplers().apply(step -> draw(chunk, step))) {
                run.setFirstFrame(prompt.frames());
                PhaseClock clock =
                        new PhaseClock(listener, Phase.DENOISE, sampler.steps(), this::newest);
                Denoiser.takeSteps(
                        transformer.policy(),
                        sampler,
                        velocity,
                        latents,
                        held,
                        stopIfCancelled,
                        clock);
            }
            sink.accept(newest());
            stopIfCancelled.run();
            prompt.remember(run, latents, promptText);
            if (negative != null) {
                negative.remember(run, latents, negativeText);
            }
        }
        torn = false;
    }

    private void requireFit(Chunk chunk) {
        if (torn && chunk.start() != Chunk.Start.CUT) {
            throw new IllegalStateException(
                    "the chunk before was not made to its end, and nothing can go on from it: begin with a cut");
        }
        if (negative != null && chunk.text().negative() == null) {
            throw new IllegalArgumentException(
                    "guidance is %s and the chunk has no negative prompt's embeddings"
                            .formatted(sampling.guidance()));
        }
        Latents given = chunk.noise();
        int channels = config.inChannels();
        if (given != null
                && (given.frames() != chunk.frames()
                        || given.height() != height
                        || given.width() != width
                        || given.channels() != channels)) {
            throw new IllegalArgumentException(
                    "the chunk's noise is %s, expected %d frames, %dx%d, %d channels"
                            .formatted(given, chunk.frames(), width, height, channels));
        }
    }

    /** Texts become the chunk's, and what is remembered what the chunk is to read. */
    private void begin(Chunk chunk, Runnable stopIfCancelled) {
        if (chunk.start() == Chunk.Start.CUT) {
            prompt.forget();
            if (negative != null) {
                negative.forget();
            }
        }
        boolean keepsNegative =
                embeddings != null && embeddings.negative() == chunk.text().negative();
        if (embeddings != chunk.text()) {
            embeddings = null;
            promptTexts.close();
            promptText = promptTexts.own(new TransformerText(transformer, chunk.text().prompt()));
            if (negative != null && !keepsNegative) {
                negativeTexts.close();
                negativeText =
                        negativeTexts.own(
                                new TransformerText(transformer, chunk.text().negative()));
            }
            embeddings = chunk.text();
        }
        if (chunk.start() == Chunk.Start.CARRY && prompt.context() != null) {
            stopIfCancelled.run();
            prompt.rememberAnew(run, latents, promptText);
            // Under the same prompt it would become what it is.
            if (negative != null && !keepsNegative) {
                negative.rememberAnew(run, latents, negativeText);
            }
        }
    }

    /** Buffers for chunks of so many frames; those of the same size stay. */
    private void resize(int frames) {
        if (latents != null && latents.size(0) == frames) {
            return;
        }
        latents = null;
        buffers.close();
        run =
                buffers.own(
                        new TransformerRun(
                                transformer,
                                frames,
                                height,
                                width,
                                Denoiser.told(config, sampling.guidance())));
        latents = buffers.tensor(DType.F32, frames, height, width, config.inChannels());
    }

    private float[] noiseOf(Chunk chunk) {
        return chunk.noise() != null ? chunk.noise().values() : draw(chunk, 0);
    }

    /** In the order of latents; PyTorch draws channels first. */
    private float[] draw(Chunk chunk, int step) {
        long count = (long) chunk.frames() * height * width * config.inChannels();
        if (context.isDry()) {
            return new float[Math.toIntExact(count)];
        }
        float[] drawn =
                new ChunkNoise(chunk.seed()).draw(chunk.beat(), chunk.number(), step, count);
        return ChannelsLast.of(drawn, config.inChannels());
    }

    /**
     * A copy of the newest chunk's latents as they are now.
     *
     * @throws IllegalStateException before the first chunk
     */
    public Latents newest() {
        if (latents == null) {
            throw new IllegalStateException("there is no chunk yet");
        }
        return new Latents(
                (int) latents.size(0), height, width, config.inChannels(), latents.toFloats());
    }

    /**
     * Takes up a video whose memories were restored ({@link ChunkMemory#restore}).
     *
     * @param newest the newest chunk's latents, which the next one may have remembered anew
     */
    public void restoreNewest(Latents newest) {
        resize(newest.frames());
        latents.upload(newest.values());
        embeddings = null; // what it is remembered under need not be the last chunk's
        torn = false;
    }

    @Override
    public void close() {
        buffers.close();
        negativeTexts.close();
        promptTexts.close();
        memories.close();
    }
}
