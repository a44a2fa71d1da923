package io.sanavideo;

import io.sanavideo.media.Quality;
import io.sanavideo.pipeline.CallQueue;
import io.sanavideo.pipeline.Denoised;
import io.sanavideo.pipeline.Engine;
import io.sanavideo.pipeline.FileSink;
import io.sanavideo.pipeline.Job;
import io.sanavideo.pipeline.ModelFolder;
import io.sanavideo.pipeline.Planner;
import io.sanavideo.runtime.Range;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;

/**
 * A SANA-Video model, loaded and ready. It does not change once opened and may be shared among
 * threads: calls queue and run in the order they come, one at a time, on the engine's own thread.
 *
 * <pre>{@code
 * try (SanaVideo sana = SanaVideo.open(Path.of("model"), Device.best())) {
 *     Clip clip = sana.generate(TextToVideo.prompt("a red circle moving left").frames(17).seed(7).build());
 *     clip.writeMp4(Path.of("clip.mp4"));
 * }
 * }</pre>
 */
public final class SanaVideo implements AutoCloseable {
    private final Engine engine;
    private final CallQueue calls;

    private SanaVideo(Engine engine) {
        this.engine = engine;
        this.calls = new CallQueue("sana-video", engine::cancel, engine::resume);
    }

    /** Opens a model with {@link Precision#AUTO}, in silence. */
    public static SanaVideo open(Path model, Device device) {
        return open(model, device, Precision.AUTO, ProgressListener.NONE);
    }

    /**
     * Opens a model folder in the diffusers layout: {@code model_index.json}, transformer, vae,
     * text_encoder, tokenizer and scheduler.
     *
     * @param listener hears {@link Progress.Phase#LOAD}, on the calling thread
     * @throws ModelFormatException when the folder or a file in it is broken
     * @throws DoesNotFitException when memory does not hold the weights
     * @throws DeviceException when the device cannot be used
     */
    public static SanaVideo open(
            Path model, Device device, Precision precision, ProgressListener listener) {
        return open(Model.at(model, device).withPrecision(precision), listener);
    }

    /**
     * As the other, for a model that runs in a way of its own.
     *
     * @throws ModelFormatException also when a quantised model has no receipt that fits its
     *     weights, or a LoRA is broken, not supported or for another model
     * @throws IllegalArgumentException when the layers' policy asks for what the folder does not
     *     hold
     */
    public static SanaVideo open(Model model, ProgressListener listener) {
        return opened(model, null, listener);
    }

    /**
     * As the other, for a request that will come first: what is loaded is what suits it, and
     * nothing where it does not fit. Kernels that are to be chosen are measured now.
     *
     * @throws DoesNotFitException when memory does not hold what the request takes
     * @throws IllegalArgumentException when the model cannot do what it asks
     */
    public static SanaVideo open(Model model, VideoRequest first, ProgressListener listener) {
        return opened(model, Objects.requireNonNull(first, "first"), listener);
    }

    /**
     * As the others, for a story that will come first.
     *
     * @throws DoesNotFitException when memory does not hold what the story takes
     * @throws IllegalArgumentException when the model cannot do what it asks
     */
    public static SanaVideo open(Model model, Story first, ProgressListener listener) {
        Objects.requireNonNull(listener, "listener");
        return new SanaVideo(
                Engine.openForStory(
                        ModelFolder.of(model),
                        model.device(),
                        model.precision(),
                        model.kernels(),
                        Objects.requireNonNull(first, "first"),
                        listener));
    }

    private static SanaVideo opened(Model model, VideoRequest first, ProgressListener listener) {
        Objects.requireNonNull(listener, "listener");
        return new SanaVideo(
                Engine.open(
                        ModelFolder.of(model),
                        model.device(),
                        model.precision(),
                        model.kernels(),
                        first,
                        listener));
    }

    /**
     * What a generation would take of a device, without loading anything or, for a card, having
     * one.
     *
     * @throws ModelFormatException when the folder or a file in it is broken
     * @throws IllegalArgumentException when the model cannot do what is asked
     * @throws DeviceException when the device is a card and this build has no CUDA kernels
     */
    public static Plan plan(Path model, Device device, Precision precision, VideoRequest request) {
        return plan(Model.at(model, device).withPrecision(precision), request);
    }

    /** As the other, with kernels that were chosen before: nothing is measured. */
    public static Plan plan(Model model, VideoRequest request) {
        return Planner.plan(
                ModelFolder.of(model), model.device(), model.precision(), model.kernels(), request);
    }

    /** What a story would take, as the other says of a clip; its notes say how it is laid out. */
    public static Plan plan(Model model, Story story) {
        return Planner.plan(
                ModelFolder.of(model), model.device(), model.precision(), model.kernels(), story);
    }

    /** What a story will take of this engine's device, as the other says of a clip. */
    public Plan plan(Story story) {
        return calls.run(() -> engine.plan(engine.job(story)));
    }

    /**
     * What a generation will take of this engine's device, given what is free now.
     *
     * @throws IllegalArgumentException when the model cannot do what is asked
     */
    public Plan plan(VideoRequest request) {
        return calls.run(() -> engine.plan(engine.job(request)));
    }

    /** The folder of the built-in demo model: 64x64 pixels, 17 frames of a coloured shape. */
    public static Path demoModel() {
        return ModelFolder.demo();
    }

    /** Generates a clip and hears nothing meanwhile. */
    public Clip generate(VideoRequest request) {
        return generate(request, ProgressListener.NONE);
    }

    /**
     * Generates a clip's latents; the clip decodes its frames when it is asked for them.
     *
     * @throws IllegalArgumentException when the model cannot do what is asked, naming the nearest
     *     that it can
     * @throws CancelledException after {@link #cancel()} or an interrupt of the calling thread; the
     *     engine stays usable
     * @throws NumericsException when latents become NaN or infinite
     * @throws DoesNotFitException when memory does not hold the activations
     */
    public Clip generate(VideoRequest request, ProgressListener listener) {
        return run(() -> new Clip(this, engine.denoise(engine.job(request), calls, listener)));
    }

    /**
     * Generates a clip and hands its frames on as they are decoded; memory does not grow with the
     * clip's length beyond its latents.
     */
    public Generated generate(VideoRequest request, FrameSink sink, ProgressListener listener) {
        return run(() -> engine.make(engine.job(request), sink, calls, listener));
    }

    /**
     * Makes a story's film chunk by chunk and hands its frames on as they are decoded; nothing is
     * kept, so that memory does not grow with its length.
     *
     * @throws IllegalArgumentException when the model cannot do what is asked, naming the beat
     * @throws CancelledException after {@link #cancel()} or an interrupt of the calling thread; the
     *     engine stays usable
     * @throws NumericsException when latents become NaN or infinite
     * @throws DoesNotFitException when memory does not hold a chunk's activations
     */
    public Generated generate(Story story, FrameSink sink, ProgressListener listener) {
        return run(() -> engine.make(engine.job(story), sink, calls, listener));
    }

    /** As {@link #generate(VideoRequest, FrameSink, ProgressListener)}, in silence. */
    public Generated generate(VideoRequest request, FrameSink sink) {
        return generate(request, sink, ProgressListener.NONE);
    }

    /**
     * Generates a clip into a file: .mp4, .gif, or a folder of .png. The file appears under its
     * name when it is complete; its place is checked before anything is computed.
     */
    public Generated generateTo(
            VideoRequest request, Path path, Quality quality, ProgressListener listener) {
        return generateTo(request, new ClipFile(path, quality, false), listener);
    }

    /** As the other, with more to say of the file. */
    public Generated generateTo(VideoRequest request, ClipFile file, ProgressListener listener) {
        return run(() -> makeTo(engine.job(request), file, listener));
    }

    /** As the other, for a story's film. */
    public Generated generateTo(
            Story story, Path path, Quality quality, ProgressListener listener) {
        return generateTo(story, new ClipFile(path, quality, false), listener);
    }

    /** As the other, with more to say of the file. */
    public Generated generateTo(Story story, ClipFile file, ProgressListener listener) {
        return run(() -> makeTo(engine.job(story), file, listener));
    }

    /** As the other, in {@link Quality#MEDIUM} and silence. */
    public Generated generateTo(Story story, Path path) {
        return generateTo(story, path, Quality.MEDIUM, ProgressListener.NONE);
    }

    /**
     * Makes what is not done of a project's film, keeping each chunk in its folder, and joins the
     * film's file. After a cancellation, or the end of the program at any moment, another call goes
     * on after the last chunk that was done, and the film is the same.
     *
     * @throws IllegalArgumentException when the model cannot do what is asked, or is not the one
     *     that has made what is there, naming what is not the same
     * @throws IllegalStateException when another program works on the project
     */
    public Generated generate(Project project, ProgressListener listener) {
        return run(() -> engine.make(project, calls, listener));
    }

    private Generated makeTo(Job job, ClipFile file, ProgressListener listener) {
        try (FileSink sink = FileSink.open(file, job.settings().format())) {
            return sink.finish(engine.make(job, sink, calls, listener), listener);
        }
    }

    /** As the other, in {@link Quality#MEDIUM} and silence. */
    public Generated generateTo(VideoRequest request, Path path) {
        return generateTo(request, path, Quality.MEDIUM, ProgressListener.NONE);
    }

    Generated decode(Denoised denoised, FrameSink sink, ProgressListener listener) {
        return run(() -> engine.decode(denoised, sink, calls, listener));
    }

    /**
     * Decodes latents that need not be a clip of this engine's, such as a preview's, at the model's
     * own frame rate. May be called from a listener, inside the call that it listens to.
     *
     * @throws IllegalArgumentException when their channels are not those of the model
     */
    public void decode(Latents latents, FrameSink sink) {
        calls.run(
                () -> {
                    engine.decode(latents, sink, calls);
                    return null;
                });
    }

    /** Runs a call of the model's, for a profiler a range of its own. */
    private <T> T run(Callable<T> body) {
        return calls.run(
                () -> {
                    try (Range range = engine.range("run")) {
                        return body.call();
                    }
                });
    }

    /** Bytes of the device's memory that weights, and buffers of a call that runs, take now. */
    public long memoryInUse() {
        return calls.run(engine::memoryInUse);
    }

    /** Whether a call runs or waits. */
    public boolean busy() {
        return calls.busy();
    }

    /**
     * Cancels the call that runs now, if one does: it ends within one native op with a {@link
     * CancelledException}. May be called from any thread.
     */
    public void cancel() {
        calls.cancel();
    }

    /** Cancels what runs or waits, and frees the model. */
    @Override
    public void close() {
        calls.close();
        engine.close();
    }
}
