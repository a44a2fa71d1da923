package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import io.sanavideo.FrameSink;
import io.sanavideo.Kernels;
import io.sanavideo.Latents;
import io.sanavideo.Plan;
import io.sanavideo.Plan.PhaseMemory;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.VideoRequest;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.vendor.KernelChoices;
import io.sanavideo.runtime.vendor.Problem;
import io.sanavideo.text.PromptTokens;
import io.sanavideo.weights.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Learns what a generation takes by going through it on a context that only counts memory: the same
 * code as the real one, so that there is no second set of formulas to keep true.
 */
public final class Planner {
    /** By then every phase of a step, of a sampler's history and of a stream has been seen. */
    private static final int SEEN = 3;

    private static final Runnable NEVER_CANCELLED = () -> {};

    /** All that memory depends on. */
    private record Shape(
            Precision precision,
            int width,
            int height,
            int frames,
            int textTokens,
            boolean guided,
            boolean fromImage,
            Residency residency) {}

    /** All that decoding by tiles depends on. */
    private record TileShape(Precision precision, ClipFormat format, int tile) {}

    /**
     * How a generation is made to fit.
     *
     * @param tile rows and columns of the latent that are decoded at a time; 0 for all
     */
    private record Way(Residency residency, int tile) {}

    private final ModelParts parts;
    private final Device device;
    private final Precision precision;
    private final KernelChoices kernels;
    private final LongSupplier available;
    private final Denoiser denoiser;
    private final Map<String, String> dtypes;
    private final Speeds speeds;
    private final long disk;
    private final FilmPlanner films;
    private final Map<Shape, Walk> known = new HashMap<>();
    private final Map<TileShape, PhaseMemory> knownTiles = new HashMap<>();

    /** What going through a generation of some shape has shown. */
    private record Walk(List<PhaseMemory> phases, Set<Problem> problems) {}

    /**
     * @param available bytes of the device's memory that can be had now, or {@link Plan#UNKNOWN}
     */
    Planner(
            ModelParts parts,
            Device device,
            Precision precision,
            KernelChoices kernels,
            LongSupplier available) {
        this.parts = parts;
        this.device = device;
        this.kernels = kernels;
        this.precision = precision;
        this.available = available;
        denoiser = new Denoiser(parts.transformer(), parts.vae());
        dtypes = Components.dtypes(parts.folder(), device, precision);
        speeds = Speeds.of(parts, device, dtypes);
        long bytes = 0;
        for (Path component : parts.folder().weights()) {
            try (Checkpoint checkpoint = Checkpoint.open(component)) {
                bytes += checkpoint.bytes();
            }
        }
        disk = bytes;
        films = new FilmPlanner(parts, device, precision, kernels, dtypes, disk);
    }

    /** See {@link io.sanavideo.SanaVideo#plan(Model, VideoRequest)}. */
    public static Plan plan(
            ModelFolder folder,
            Device device,
            Precision precision,
            Kernels kernels,
            VideoRequest request) {
        return plan(folder, device, precision, kernels, parts -> parts.job(request));
    }

    /** As the other, for a story. */
    public static Plan plan(
            ModelFolder folder, Device device, Precision precision, Kernels kernels, Story story) {
        return plan(folder, device, precision, kernels, parts -> parts.job(story));
    }

    private static Plan plan(
            ModelFolder folder,
            Device device,
            Precision precision,
            Kernels kernels,
            Function<ModelParts, Job> asked) {
        ModelParts parts = ModelParts.read(folder);
        try (KernelChoices choices = KernelChoices.of(device, kernels)) {
            return new Planner(parts, device, precision, choices, () -> AvailableMemory.of(device))
                    .plan(asked.apply(parts), 0);
        }
    }

    /** The problems of a generation that a library could have an answer to. */
    Set<Problem> problems(Job job) {
        return job instanceof FilmSettings film
                ? films.problems(film)
                : walk(job.settings(), precision, Residency.TOGETHER).problems();
    }

    /** Forgets what was learned with other kernels. */
    void kernelsChanged() {
        known.clear();
        knownTiles.clear();
        films.kernelsChanged();
    }

    /** The plan of a request that says nothing; empty where the model cannot make its defaults. */
    Optional<Plan> defaults() {
        try {
            return Optional.of(plan(parts.settings(TextToVideo.prompt("anything").build()), 0));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * @param held bytes of the device's memory that this model has already
     */
    Plan plan(Job job, long held) {
        return job instanceof FilmSettings film
                ? films.plan(film, all(held))
                : planClip(job.settings(), all(held));
    }

    /** Bytes of the device's memory that the model may have. */
    private long all(long held) {
        long free = available.getAsLong();
        long all = free == Plan.UNKNOWN ? Long.MAX_VALUE : free + held;
        return Math.min(all, parts.folder().memory());
    }

    private Plan planClip(Settings settings, long all) {
        List<Way> ways = ways(settings.format());
        Way way = fitting(settings, precision, all).orElse(ways.get(ways.size() - 1));
        boolean guided = denoiser.isGuided(settings);
        return new Plan(
                device,
                settings.format(),
                settings.steps(),
                guided,
                dtypes,
                way.residency() != Residency.TOGETHER,
                way.residency() == Residency.STREAMED,
                way.tile() * parts.vae().spatialFactor(),
                phases(settings, precision, way),
                disk,
                all == Long.MAX_VALUE ? Plan.UNKNOWN : all,
                speeds.estimate(settings.format(), settings.steps(), guided ? 2 : 1).orElse(null),
                way.tile() == parts.tile()
                        ? List.of()
                        : List.of(
                                "memory does not hold whole frames: they are decoded in tiles of %1$dx%1$d pixels, cross-faded"
                                        .formatted(way.tile() * parts.vae().spatialFactor())),
                List.of(),
                fits(settings, precision, all) ? List.of() : alternatives(settings, all));
    }

    /**
     * The ways to make a clip: those that change no pixel first, then those with ever smaller
     * tiles; of each kind that with the least work first.
     */
    private List<Way> ways(ClipFormat format) {
        List<Way> ways = new ArrayList<>();
        for (Residency residency : Residency.values()) {
            ways.add(new Way(residency, parts.tile()));
        }
        int factor = parts.vae().spatialFactor();
        int least = Tiling.leastTile(parts.vae());
        int edge = parts.tile();
        if (edge == 0) {
            edge = Math.max(format.height(), format.width()) / factor;
        }
        for (edge = smaller(edge); edge >= least; edge = smaller(edge)) {
            ways.add(new Way(Residency.IN_TURN, edge));
            ways.add(new Way(Residency.STREAMED, edge));
        }
        return ways;
    }

    private static int smaller(int edge) {
        return edge * 3 / 4;
    }

    private Optional<Way> fitting(Settings settings, Precision asked, long available) {
        return ways(settings.format()).stream()
                .filter(way -> peak(phases(settings, asked, way)) <= available)
                .findFirst();
    }

    private boolean fits(Settings settings, Precision asked, long available) {
        return fitting(settings, asked, available).isPresent();
    }

    private static long peak(List<PhaseMemory> phases) {
        return phases.stream().mapToLong(PhaseMemory::peak).max().orElseThrow();
    }

    /** The longest clip of this size that fits, and whether another dtype would do. */
    private List<String> alternatives(Settings settings, long available) {
        List<String> found = new ArrayList<>();
        if (DType.of(precision, device) != DType.BF16
                && fits(settings, Precision.BF16, available)) {
            found.add("--dtype bf16");
        }
        int factor = parts.limits().temporalFactor();
        int shortest = settings.image() == null ? 0 : 1;
        int fitting = shortest - 1;
        int tooMany = (settings.format().frames() - 1) / factor;
        while (tooMany - fitting > 1) {
            int groups = (fitting + tooMany) / 2;
            Settings shorter = settings.withFrames(groups * factor + 1);
            if (fits(shorter, precision, available)) {
                fitting = groups;
            } else {
                tooMany = groups;
            }
        }
        if (fitting >= shortest) {
            found.add("--frames " + (fitting * factor + 1));
        }
        return found;
    }

    /** Tiles smaller than those that were asked for change nothing but the decoding. */
    private List<PhaseMemory> phases(Settings settings, Precision asked, Way way) {
        List<PhaseMemory> phases = walk(settings, asked, way.residency()).phases();
        if (way.tile() == parts.tile()) {
            return phases;
        }
        List<PhaseMemory> tiled = new ArrayList<>(phases.subList(0, phases.size() - 1));
        TileShape shape = new TileShape(asked, settings.format(), way.tile());
        tiled.add(knownTiles.computeIfAbsent(shape, this::measure));
        return tiled;
    }

    private Walk walk(Settings settings, Precision asked, Residency residency) {
        ClipFormat format = settings.format();
        Shape shape =
                new Shape(
                        asked,
                        format.width(),
                        format.height(),
                        format.frames(),
                        parts.longestPrompt(settings).ids().length,
                        denoiser.isGuided(settings),
                        settings.image() != null,
                        residency);
        return known.computeIfAbsent(shape, unknown -> measure(settings, shape));
    }

    private Walk measure(Settings settings, Shape shape) {
        Residency residency = shape.residency();
        List<PhaseMemory> phases = new ArrayList<>();
        Set<Problem> problems = new LinkedHashSet<>();
        try (Context context = Context.dry(device)) {
            kernels.applyTo(context);
            Components components = new Components(parts, device, shape.precision(), context);
            if (residency == Residency.TOGETHER) {
                components.loadAll(ProgressListener.NONE);
            }
            Embeddings text =
                    components.with(
                            components.encoder(residency),
                            residency,
                            ProgressListener.NONE,
                            encoder ->
                                    measure(
                                            phases,
                                            Phase.ENCODE,
                                            context,
                                            () -> encode(encoder, components, settings, shape)));
            // Those of the text encoder change with each prompt.
            kernels.applyTo(context, problems);
            Latents image =
                    shape.fromImage() ? encodeImage(phases, components, settings, residency) : null;
            Latents latents =
                    components.with(
                            components.transformer(residency),
                            residency,
                            ProgressListener.NONE,
                            transformer ->
                                    measure(
                                            phases,
                                            Phase.DENOISE,
                                            context,
                                            () ->
                                                    denoiser.denoise(
                                                            transformer,
                                                            shortened(settings),
                                                            text,
                                                            image,
                                                            NEVER_CANCELLED,
                                                            ProgressListener.NONE,
                                                            null)));
            text.close();
            context.trim();
            decode(phases, components, residency, latents, settings.format(), parts.tile());
        }
        return new Walk(List.copyOf(phases), problems);
    }

    private PhaseMemory measure(TileShape shape) {
        ClipFormat format = shape.format();
        VaeConfig vae = parts.vae();
        int height = format.height() / vae.spatialFactor();
        int width = format.width() / vae.spatialFactor();
        int frames = Math.min(SEEN, (format.frames() - 1) / vae.temporalFactor() + 1);
        int channels = vae.latentChannels();
        float[] zeros = new float[frames * height * width * channels];
        Latents latents = new Latents(frames, height, width, channels, zeros);
        List<PhaseMemory> phases = new ArrayList<>();
        try (Context context = Context.dry(device)) {
            kernels.applyTo(context);
            Components components = new Components(parts, device, shape.precision(), context);
            decode(phases, components, Residency.IN_TURN, latents, format, shape.tile());
        }
        return phases.get(0);
    }

    private void decode(
            List<PhaseMemory> phases,
            Components components,
            Residency residency,
            Latents latents,
            ClipFormat format,
            int tile) {
        components.with(
                components.vae,
                residency,
                ProgressListener.NONE,
                vae ->
                        measure(
                                phases,
                                Phase.DECODE,
                                components.context(),
                                () ->
                                        new FrameDecoder(parts.vae())
                                                .decode(
                                                        vae,
                                                        shortened(latents),
                                                        format,
                                                        tile,
                                                        FrameSink.NONE,
                                                        NEVER_CANCELLED,
                                                        ProgressListener.NONE)));
    }

    /** The image is encoded in the text's phase: what takes more of both counts. */
    private Latents encodeImage(
            List<PhaseMemory> phases,
            Components components,
            Settings settings,
            Residency residency) {
        PhaseMemory text = phases.remove(phases.size() - 1);
        Latents image =
                components.withVaeEncoder(
                        residency,
                        ProgressListener.NONE,
                        vae ->
                                measure(
                                        phases,
                                        Phase.ENCODE,
                                        components.context(),
                                        () ->
                                                ImageEncoder.encode(
                                                        vae, settings.image(), settings.format())));
        if (text.peak() > phases.get(0).peak()) {
            phases.set(0, text);
        }
        return image;
    }

    private static <T> T measure(
            List<PhaseMemory> phases, Phase phase, Context context, Supplier<T> work) {
        long weights = context.memoryInUse();
        context.resetPeak();
        T result = work.get();
        phases.add(new PhaseMemory(phase, weights, context.memoryPeak()));
        return result;
    }

    private Embeddings encode(
            Gemma2Encoder encoder, Components components, Settings settings, Shape shape) {
        PromptTokens tokens = parts.longestPrompt(settings);
        Tensor prompt = PromptEncoder.encode(encoder, tokens, components.compute());
        Tensor negative =
                shape.guided() ? PromptEncoder.encode(encoder, tokens, components.compute()) : null;
        return new Embeddings(prompt, negative);
    }

    private static Settings shortened(Settings settings) {
        return settings.withSteps(Math.min(SEEN, settings.steps()));
    }

    private static Latents shortened(Latents latents) {
        int frames = Math.min(SEEN, latents.frames());
        int size = latents.height() * latents.width() * latents.channels();
        return new Latents(
                frames,
                latents.height(),
                latents.width(),
                latents.channels(),
                Arrays.copyOf(latents.values(), frames * size));
    }
}
