package io.sanavideo.pipeline;

import io.sanavideo.Device;
import io.sanavideo.Latents;
import io.sanavideo.Plan;
import io.sanavideo.Plan.PhaseMemory;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.ChunkMemory;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.pipeline.Film.Shot;
import io.sanavideo.pipeline.Film.Span;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.vendor.KernelChoices;
import io.sanavideo.runtime.vendor.Problem;
import io.sanavideo.text.PromptTokens;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Learns what a film takes, as {@link Planner} does for a clip: memory does not grow with it. */
final class FilmPlanner {
    /** By then each phase of a step and of a sampler's history has been seen. */
    private static final int STEPS = 3;

    private static final double MB = 1e6;

    /** All that memory depends on. */
    private record Shape(
            int width,
            int height,
            Film film,
            int prompts,
            int textTokens,
            boolean guided,
            boolean withImages,
            Residency residency) {}

    /** What going through a film of some shape has shown. */
    private record Walk(List<PhaseMemory> phases, Set<Problem> problems) {}

    private final ModelParts parts;
    private final Device device;
    private final Precision precision;
    private final KernelChoices kernels;
    private final Map<String, String> dtypes;
    private final long disk;
    private final Map<Shape, Walk> known = new HashMap<>();

    /**
     * @param disk bytes of the model's weights
     */
    FilmPlanner(
            ModelParts parts,
            Device device,
            Precision precision,
            KernelChoices kernels,
            Map<String, String> dtypes,
            long disk) {
        this.parts = parts;
        this.device = device;
        this.precision = precision;
        this.kernels = kernels;
        this.dtypes = dtypes;
        this.disk = disk;
    }

    /**
     * @param all bytes of the device's memory that the model may have; Long.MAX_VALUE where that is
     *     not known
     */
    Plan plan(FilmSettings film, long all) {
        requireWholeFrames();
        Residency residency = Residency.STREAMED;
        List<PhaseMemory> phases = List.of();
        for (Residency way : Residency.values()) {
            residency = way;
            phases = walk(film, way).phases();
            if (phases.stream().allMatch(phase -> phase.peak() <= all)) {
                break;
            }
        }
        Settings settings = film.settings();
        return new Plan(
                device,
                settings.format(),
                settings.steps(),
                film.guided(),
                dtypes,
                residency != Residency.TOGETHER,
                residency == Residency.STREAMED,
                0,
                phases,
                disk,
                all == Long.MAX_VALUE ? Plan.UNKNOWN : all,
                null,
                notes(film),
                warnings(film),
                List.of());
    }

    private void requireWholeFrames() {
        if (parts.tile() != 0) {
            throw new IllegalArgumentException(
                    "tiles are not for videos that are made chunk by chunk, expected none: each tile would need a decoder's memory of its own");
        }
    }

    /** The problems of a film that a library could have an answer to. */
    Set<Problem> problems(FilmSettings film) {
        return walk(film, Residency.TOGETHER).problems();
    }

    /** Forgets what was learned with other kernels. */
    void kernelsChanged() {
        known.clear();
    }

    private Walk walk(FilmSettings film, Residency residency) {
        FilmSettings shortened = shortened(film);
        Settings settings = film.settings();
        Shape shape =
                new Shape(
                        settings.format().width(),
                        settings.format().height(),
                        shortened.film(),
                        (int) shortened.prompts().stream().distinct().count(),
                        parts.longestPrompt(settings).ids().length,
                        film.guided(),
                        film.scenes().stream().anyMatch(scene -> scene.image() != null),
                        residency);
        return known.computeIfAbsent(shape, unknown -> measure(shortened, residency));
    }

    private Walk measure(FilmSettings shortened, Residency residency) {
        List<PhaseMemory> phases = new ArrayList<>();
        Set<Problem> problems = new LinkedHashSet<>();
        try (Context context = Context.dry(device)) {
            kernels.applyTo(context);
            Components components = new Components(parts, device, precision, context);
            if (residency == Residency.TOGETHER) {
                components.loadAll(ProgressListener.NONE);
            }
            long weights = context.memoryInUse();
            context.resetPeak();
            FilmTexts texts =
                    components.with(
                            components.encoder(residency),
                            residency,
                            ProgressListener.NONE,
                            encoder -> texts(encoder, components, shortened));
            List<Latents> images =
                    Films.images(components, residency, shortened, 0, ProgressListener.NONE);
            phases.add(new PhaseMemory(Phase.ENCODE, weights, context.memoryPeak()));
            kernels.applyTo(context, problems);
            phases.add(
                    components.withFilmParts(
                            residency,
                            ProgressListener.NONE,
                            (transformer, vae) -> {
                                long loaded = context.memoryInUse();
                                context.resetPeak();
                                new FilmMaker(parts.vae(), shortened, texts, images)
                                        .make(
                                                transformer,
                                                vae,
                                                rgb -> {},
                                                ChunkLog.NONE,
                                                () -> {},
                                                ProgressListener.NONE);
                                return new PhaseMemory(Phase.CHUNKS, loaded, context.memoryPeak());
                            }));
            texts.close();
        }
        return new Walk(List.copyOf(phases), problems);
    }

    private FilmTexts texts(Gemma2Encoder encoder, Components components, FilmSettings film) {
        PromptTokens tokens = parts.longestPrompt(film.settings());
        Tensor negative =
                film.guided() ? PromptEncoder.encode(encoder, tokens, components.compute()) : null;
        return new FilmTexts(
                encoder.context(),
                film.prompts(),
                prompt -> PromptEncoder.encode(encoder, tokens, components.compute()),
                negative);
    }

    /** A shot of the largest chunks, in which the prompt changes where it does. */
    private static FilmSettings shortened(FilmSettings film) {
        List<Span> spans =
                film.film().shots().stream()
                        .flatMap(shot -> shot.chunks().stream())
                        .sorted(Comparator.comparingInt(Span::frames).reversed())
                        .toList();
        int last = film.scenes().size() - 1;
        List<Span> seen = new ArrayList<>();
        int at = 0;
        for (int i = 0; i < Math.min(STEPS, spans.size()); i++) {
            int frames = spans.get(i).frames();
            boolean changes = last > 0 && i > 0;
            seen.add(new Span(changes ? last : 0, changes ? i - 1 : i, at, frames));
            at += frames;
        }
        return film.shortened(new Film(List.of(new Shot(0, at, 0, seen)), at), STEPS);
    }

    private List<String> notes(FilmSettings film) {
        Settings settings = film.settings();
        int factor = parts.vae().spatialFactor();
        DType compute = DType.of(precision, device);
        long state =
                ChunkMemory.bytes(
                        parts.transformer(),
                        compute,
                        settings.format().height() / factor,
                        settings.format().width() / factor,
                        film.window());
        int branches = film.guided() ? 2 : 1;
        List<String> notes = new ArrayList<>();
        int chunks = film.film().chunks();
        notes.add(
                "%s latent frames, each with %s before it in view; what the transformer remembers, and each snapshot of it in a project, takes %.1f MB, however long the video"
                        .formatted(
                                chunks == 1
                                        ? "1 chunk of " + film.film().latentFrames()
                                        : "%d chunks of %d".formatted(chunks, film.chunk()),
                                film.window() == ChunkMemory.ALL ? "all" : film.window(),
                                branches * state / MB));
        if (!film.story().isEmpty()) {
            for (Shot shot : film.film().shots()) {
                notes.add(described(shot, settings.format().fps()));
            }
        }
        return notes;
    }

    private List<String> warnings(FilmSettings film) {
        int positions = parts.transformer().maxPositions();
        int longest = film.film().shots().stream().mapToInt(Shot::latentFrames).max().orElse(0);
        return longest <= positions
                ? List.of()
                : List.of(
                        "a shot of %d latent frames goes beyond the %d positions that the model was made for"
                                .formatted(longest, positions));
    }

    private static String described(Shot shot, double fps) {
        int[] beats = shot.chunks().stream().mapToInt(Span::beat).distinct().toArray();
        String shown =
                beats.length == 1
                        ? "beat " + (beats[0] + 1)
                        : "beats %d to %d".formatted(beats[0] + 1, beats[beats.length - 1] + 1);
        String[] changes =
                shot.chunks().stream()
                        .filter(span -> span.number() == 0 && span.first() > 0)
                        .map(
                                span ->
                                        "%.2f s"
                                                .formatted(
                                                        (shot.firstFrame() + shot.picture(span))
                                                                / fps))
                        .toArray(String[]::new);
        return "%s: a shot from %.2f s to %.2f s%s%s"
                .formatted(
                        shown,
                        shot.firstFrame() / fps,
                        shot.end() / fps,
                        shot.dissolve() == 0
                                ? ""
                                : ", dissolving in for %.2f s, which the story is not shortened by"
                                        .formatted(shot.dissolve() / fps),
                        changes.length == 0
                                ? ""
                                : ", its prompt changing at " + String.join(", ", changes));
    }
}
