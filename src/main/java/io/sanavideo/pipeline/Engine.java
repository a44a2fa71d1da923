package io.sanavideo.pipeline;

import io.sanavideo.Device;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Kernels;
import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Plan;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.Project;
import io.sanavideo.Story;
import io.sanavideo.VideoRequest;
import io.sanavideo.model.Observer;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.vendor.KernelChoices;
import io.sanavideo.runtime.vendor.Problem;
import io.sanavideo.text.Tokenizer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * A model at work: what happens in which order. One call at a time, from one thread; only {@link
 * #cancel()} may come from another.
 */
public final class Engine implements AutoCloseable {
    private final ModelParts parts;
    private final Device device;
    private final Precision precision;
    private final Planner planner;
    private final KernelChoices kernels;
    private final Components components;
    private final Map<String, String> dtypes;
    private final Speeds speeds;
    private final Clips clips;
    private final Films films;
    private final WeightHashes weightHashes;
    private final LoraHashes loraHashes;

    private Engine(
            ModelParts parts,
            Device device,
            Precision precision,
            KernelChoices kernels,
            Context context,
            LongSupplier available,
            Job first,
            ProgressListener listener) {
        this.parts = parts;
        this.device = device;
        this.precision = precision;
        ModelFolder folder = parts.folder();
        CompletableFuture<Tokenizer> tokenizerRead =
                CompletableFuture.supplyAsync(
                        () -> Tokenizer.open(folder.tokenizer()), Background::start);
        this.kernels = kernels;
        components = new Components(parts, device, precision, context);
        planner = new Planner(parts, device, precision, kernels, available);
        dtypes = Components.dtypes(folder, device, precision);
        speeds = Speeds.of(parts, device, dtypes);
        weightHashes = new WeightHashes(folder);
        loraHashes = new LoraHashes(folder);
        // To plan is to go through all files but the numbers in them: what is loaded later is
        // sound.
        kernels.applyTo(context);
        if (isTogether(first, listener)) {
            components.loadAll(listener);
        }
        Tokenizer tokenizer = Background.result(tokenizerRead);
        requireEmbeddings(parts, tokenizer);
        PromptEncoder prompts = new PromptEncoder(tokenizer, components.compute());
        clips = new Clips(parts, components, prompts);
        films = new Films(parts, components, prompts);
        if (folder.receipt() != null) {
            folder.receipt().requireFor(folder.root(), weightHashes.transformer());
        }
    }

    /** Whether the first request, or else one that says nothing, has all components loaded. */
    private boolean isTogether(Job first, ProgressListener listener) {
        if (first == null) {
            return !planner.defaults().map(Plan::inTurn).orElse(false);
        }
        planner.plan(first, 0).requireFits();
        return !ready(first, listener).inTurn();
    }

    /**
     * Loads a model; see {@link io.sanavideo.SanaVideo#open}.
     *
     * @param first the request that will come first, or null where that is not known
     */
    public static Engine open(
            ModelFolder folder,
            Device device,
            Precision precision,
            Kernels kernels,
            VideoRequest first,
            ProgressListener listener) {
        return open(
                folder,
                device,
                precision,
                kernels,
                () -> AvailableMemory.of(device),
                first == null ? null : parts -> parts.job(first),
                listener);
    }

    /** As the other, for a story that will come first. */
    public static Engine openForStory(
            ModelFolder folder,
            Device device,
            Precision precision,
            Kernels kernels,
            Story first,
            ProgressListener listener) {
        return open(
                folder,
                device,
                precision,
                kernels,
                () -> AvailableMemory.of(device),
                parts -> parts.job(first),
                listener);
    }

    /**
     * As the others.
     *
     * @param available bytes of the device's memory that can be had now
     * @param first what will come first, or null
     */
    static Engine open(
            ModelFolder folder,
            Device device,
            Precision precision,
            Kernels kernels,
            LongSupplier available,
            Function<ModelParts, Job> first,
            ProgressListener listener) {
        ModelParts parts = ModelParts.read(folder);
        Context context = Context.on(device);
        KernelChoices choices = null;
        try {
            choices = KernelChoices.of(device, kernels);
            return new Engine(
                    parts,
                    device,
                    precision,
                    choices,
                    context,
                    available,
                    first == null ? null : first.apply(parts),
                    listener);
        } catch (Throwable e) {
            if (choices != null) {
                choices.close();
            }
            context.close();
            throw e;
        }
    }

    /** Each token must have its embedding, or a prompt that holds a rare one fails one day. */
    private static void requireEmbeddings(ModelParts parts, Tokenizer tokenizer) {
        int vocabulary = parts.text().vocabulary();
        if (tokenizer.largestId() >= vocabulary) {
            throw new ModelFormatException(
                    "%s: vocab_size is %d, expected %d or more: %s has ids up to %d"
                            .formatted(
                                    parts.folder().textEncoder().resolve("config.json"),
                                    vocabulary,
                                    tokenizer.largestId() + 1,
                                    parts.folder().tokenizer().resolve("tokenizer.json"),
                                    tokenizer.largestId()));
        }
    }

    /** What a request is made as; throws when the model cannot do it. */
    public Job job(VideoRequest request) {
        return parts.job(request);
    }

    /** What a story is made as; throws when the model cannot do it. */
    public Job job(Story story) {
        return parts.job(story);
    }

    /** The request as a clip that is made at once; throws when the model cannot do it. */
    public Settings settings(VideoRequest request) {
        return parts.settings(request);
    }

    /** Latent frames of a request's clip. */
    public int latentFrames(VideoRequest request) {
        return (settings(request).format().frames() - 1) / parts.vae().temporalFactor() + 1;
    }

    /** What a generation will take; see {@link io.sanavideo.SanaVideo#plan}. */
    public Plan plan(Job job) {
        return planner.plan(job, context().memoryInUse());
    }

    /** What the model makes when a request is silent. */
    public GenerationDefaults defaults() {
        return parts.defaults();
    }

    /**
     * Encodes the text and denoises.
     *
     * @throws DoesNotFitException before anything is computed, when memory does not hold it
     */
    public Denoised denoise(Job job, CallQueue calls, ProgressListener listener) {
        return job instanceof FilmSettings film
                ? denoise(film, calls, listener)
                : denoise(job.settings(), calls, listener, null);
    }

    /**
     * Makes it and hands its frames on as they are decoded. Of a film nothing is kept: its {@link
     * Generated#latents()} are null.
     */
    public Generated make(Job job, FrameSink sink, CallQueue calls, ProgressListener listener) {
        return job instanceof FilmSettings film
                ? make(film, sink, calls, listener)
                : decode(denoise(job, calls, listener), sink, calls, listener);
    }

    /**
     * Denoises a clip at once.
     *
     * @param observer sees what the transformer computes; null for none
     */
    public Denoised denoise(
            Settings settings, CallQueue calls, ProgressListener listener, Observer observer) {
        Plan plan = ready(settings, listener);
        return clips.denoise(settings, plan, calls::throwIfCancelled, listener, observer);
    }

    /** The latent frame that a clip from an image begins with. */
    public Latents encodeImage(Settings settings, ProgressListener listener) {
        return clips.encodeImage(settings, Residency.of(plan(settings)), listener);
    }

    /** Decodes and hands frames on. */
    public Generated decode(
            Denoised denoised, FrameSink sink, CallQueue calls, ProgressListener listener) {
        Settings settings = denoised.settings();
        Stopwatch decoding = new Stopwatch();
        String hash = clips.decode(denoised, sink, decoding, calls::throwIfCancelled, listener);
        if (denoised.job() == settings) {
            speeds.add(
                    settings.format(),
                    settings.steps(),
                    clips.isGuided(settings) ? 2 : 1,
                    denoised.encoding(),
                    denoised.denoising(),
                    decoding.elapsed());
        }
        return new Generated(
                settings.format(),
                settings.seed(),
                denoised.encoding().plus(denoised.denoising()).plus(decoding.elapsed()),
                hash,
                recipe(denoised.job(), denoised.plan()),
                List.of(),
                denoised.latents());
    }

    private String recipe(Job job, Plan plan) {
        return Recipe.of(
                        job,
                        plan.tile(),
                        parts.folder(),
                        precision,
                        dtypes,
                        weightHashes,
                        loraHashes,
                        new Machine(device, context().threads()),
                        node -> kernels.describe(node, planner.problems(job)))
                .json();
    }

    /** Makes a film chunk by chunk and hands each frame on as soon as it is there. */
    private Generated make(
            FilmSettings film, FrameSink sink, CallQueue calls, ProgressListener listener) {
        Plan plan = ready(film, listener);
        HashedFrames out = new HashedFrames(film.settings().format(), sink);
        Duration elapsed = make(film, plan, out, ChunkLog.NONE, calls, listener);
        return generated(film, elapsed, out.hash(), recipe(film, plan));
    }

    private Duration make(
            FilmSettings film,
            Plan plan,
            Consumer<ByteBuffer> out,
            ChunkLog log,
            CallQueue calls,
            ProgressListener listener) {
        Stopwatch time = new Stopwatch();
        Residency residency = Residency.of(plan);
        time.time(
                () -> {
                    films.make(film, residency, out, log, calls::throwIfCancelled, listener);
                    return null;
                });
        return time.elapsed();
    }

    private static Generated generated(
            FilmSettings film, Duration elapsed, String hash, String recipe) {
        Settings settings = film.settings();
        return new Generated(
                settings.format(), settings.seed(), elapsed, hash, recipe, film.beats(), null);
    }

    /** Makes what is not done of a project's film, and joins it; see {@link Project}. */
    public Generated make(Project project, CallQueue calls, ProgressListener listener) {
        FilmSettings film = parts.job(project.story());
        try (ProjectFolder folder = ProjectFolder.open(project);
                ProjectLog log = folder.log(film)) {
            Plan plan = ready(film, listener);
            String recipe = recipe(film, plan);
            folder.begin(recipe, log.done());
            Duration elapsed =
                    log.isComplete()
                            ? Duration.ZERO
                            : make(film, plan, log.frames(), log, calls, listener);
            Generated generated = generated(film, elapsed, log.frameHash(), recipe);
            folder.join(log.segments(), generated, listener);
            return generated;
        }
    }

    private Denoised denoise(FilmSettings film, CallQueue calls, ProgressListener listener) {
        Plan plan = ready(film, listener);
        Stopwatch denoising = new Stopwatch();
        Latents latents =
                denoising.time(
                        () ->
                                films.denoise(
                                        film,
                                        Residency.of(plan),
                                        calls::throwIfCancelled,
                                        listener));
        return new Denoised(film, plan, latents, Duration.ZERO, denoising.elapsed());
    }

    /** The plan by which a job is done: its kernels are chosen, and memory holds it. */
    private Plan ready(Job job, ProgressListener listener) {
        List<Problem> unknown = kernels.unknown(planner.problems(job));
        if (!unknown.isEmpty()) {
            // Before a run, not in it.
            PhaseClock clock = new PhaseClock(listener, Phase.MEASURE, unknown.size(), null);
            kernels.measure(context(), unknown, clock::done);
            context().resetPeak();
            planner.kernelsChanged();
        }
        Plan plan = plan(job);
        plan.requireFits();
        return plan;
    }

    /**
     * Decodes latents on their own, without a recipe. What else is loaded stays where it is: this
     * may come from inside a call.
     */
    public void decode(Latents latents, FrameSink sink, CallQueue calls) {
        clips.decode(latents, sink, calls::throwIfCancelled);
    }

    /** What the model runs on. */
    Context context() {
        return components.context();
    }

    /** Bytes of native memory that the model and what runs on it hold now. */
    public long memoryInUse() {
        return context().memoryInUse();
    }

    /** Begins a range in a profiler's timeline. */
    public Range range(String name) {
        return context().range(name);
    }

    /** Makes the native work of the running call end soon. */
    public void cancel() {
        context().cancel();
    }

    /** Lets native work run again. */
    public void resume() {
        context().resume();
    }

    @Override
    public void close() {
        kernels.close();
        context().close();
    }
}
