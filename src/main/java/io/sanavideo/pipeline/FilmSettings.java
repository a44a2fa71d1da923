package io.sanavideo.pipeline;

import io.sanavideo.Beat;
import io.sanavideo.ClipFormat;
import io.sanavideo.Latents;
import io.sanavideo.Sampler;
import io.sanavideo.StartImage;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.VideoRequest;
import io.sanavideo.media.FilmBeat;
import io.sanavideo.schedule.FewSteps;
import java.util.ArrayList;
import java.util.List;

/**
 * A long clip or a story with every blank filled in and every value checked against the model: what
 * is made chunk by chunk, and what its recipe says of it.
 *
 * @param settings of the whole; its prompt is the first beat's
 * @param scenes what each beat shows
 * @param film how they are laid out in time
 * @param look the prompt of a story's look; empty for a clip of one prompt
 * @param story the beats as they were asked for; empty for a clip of one prompt
 * @param chunk latent frames of a chunk
 * @param window how many chunks a chunk sees behind it
 * @param fewSteps of a chunk, with {@link Sampler#FEW_STEP}; null where a solver takes its steps
 * @param guided whether a second branch, for the negative prompt, runs at each step
 */
record FilmSettings(
        Settings settings,
        List<Scene> scenes,
        Film film,
        String look,
        List<Beat> story,
        int chunk,
        int window,
        FewSteps fewSteps,
        boolean guided)
        implements Job {
    /**
     * @param prompt with the look
     * @param seed of its noise
     * @param image that it begins with, or null
     */
    record Scene(String prompt, long seed, StartImage image) {}

    FilmSettings {
        scenes = List.copyOf(scenes);
        story = List.copyOf(story);
    }

    /** Whether the model makes a clip chunk by chunk, as was asked for or it does by itself. */
    static boolean isChunked(ModelParts parts, VideoRequest request) {
        Integer chunk = request.text().chunk();
        if (chunk != null) {
            return chunk != TextToVideo.WHOLE_CLIP;
        }
        if (parts.folder().isCausal()) {
            return true;
        }
        GenerationDefaults defaults = parts.defaults();
        return defaults.causal()
                && chunked(parts, request).format().frames() > defaults.longestFrames();
    }

    /**
     * A clip of one prompt.
     *
     * @throws IllegalArgumentException when the model cannot do what is asked
     */
    static FilmSettings of(ModelParts parts, VideoRequest request) {
        Settings settings = chunked(parts, request);
        int factor = parts.vae().temporalFactor();
        int latentFrames = (settings.format().frames() - 1) / factor + 1;
        int chunk = chunk(parts, request.text());
        return of(
                parts,
                request.text(),
                settings,
                List.of(new Scene(settings.prompt(), settings.seed(), settings.image())),
                Film.of(latentFrames, factor, chunk),
                "",
                List.of());
    }

    /**
     * @throws IllegalArgumentException when the model cannot do what is asked
     */
    static FilmSettings of(ModelParts parts, Story story) {
        requireMadeForIt(parts, story);
        TextToVideo look = story.look();
        Settings first = chunked(parts, look.withPrompt(story.prompt(0)));
        double fps = first.format().fps();
        int factor = parts.vae().temporalFactor();
        Film film = Film.of(story.beats(), fps, factor, chunk(parts, look));
        List<Scene> scenes = new ArrayList<>();
        for (int i = 0; i < story.beats().size(); i++) {
            Beat beat = story.beats().get(i);
            if (beat.prompt().isBlank()) {
                throw new IllegalArgumentException(
                        "the prompt of beat %d is empty: say what to show".formatted(i + 1));
            }
            long seed = beat.seed() != null ? beat.seed() : first.seed();
            scenes.add(new Scene(story.prompt(i), seed, beat.image()));
        }
        ClipFormat format = first.format();
        Settings settings =
                first.withFormat(
                        new ClipFormat(format.width(), format.height(), film.frames(), fps));
        FilmSettings made = of(parts, look, settings, scenes, film, look.prompt(), story.beats());
        made.beats(); // a prompt that cannot be a chapter's title is refused now, not at the end
        return made;
    }

    private static FilmSettings of(
            ModelParts parts,
            TextToVideo request,
            Settings settings,
            List<Scene> scenes,
            Film film,
            String look,
            List<Beat> story) {
        requireRoomBehindImages(film, scenes);
        requireNoise(settings.initialLatents(), film);
        FewSteps fewSteps = fewSteps(parts, request, settings);
        return new FilmSettings(
                fewSteps == null ? settings : settings.withFlowShift(fewSteps.flowShift()),
                scenes,
                film,
                look,
                story,
                chunk(parts, request),
                parts.defaults().chunk().window(),
                fewSteps,
                settings.guidance() > 1 && !parts.transformer().guidanceEmbeds());
    }

    /** A chunk that is its image alone would have nothing to be denoised. */
    private static void requireRoomBehindImages(Film film, List<Scene> scenes) {
        for (Film.Shot shot : film.shots()) {
            Film.Span first = shot.chunks().get(0);
            if (scenes.get(first.beat()).image() != null && first.frames() == 1) {
                throw new IllegalArgumentException(
                        "beat %d begins with an image and a chunk of 1 latent frame, expected 2 or more: make it or its chunks longer"
                                .formatted(first.beat() + 1));
            }
        }
    }

    /** Its other sizes are looked at chunk by chunk. */
    private static void requireNoise(Latents given, Film film) {
        int frames = film.latentFrames();
        if (given != null && given.frames() != frames) {
            throw new IllegalArgumentException(
                    "the initial latents are %d frames, expected %d for a clip of %d frames"
                            .formatted(given.frames(), frames, film.frames()));
        }
    }

    private static void requireMadeForIt(ModelParts parts, Story story) {
        Integer chunk = story.look().chunk();
        boolean isMadeForIt = parts.folder().isCausal() || parts.defaults().causal();
        if (chunk == null && !isMadeForIt) {
            throw new IllegalArgumentException(
                    "a story is made chunk by chunk, which %s was not trained for: a chunk of so many latent frames tries it all the same"
                            .formatted(parts.folder().root()));
        }
        if (chunk != null && chunk == TextToVideo.WHOLE_CLIP) {
            throw new IllegalArgumentException(
                    "chunks are off, expected on: a story is made chunk by chunk");
        }
    }

    private static int chunk(ModelParts parts, TextToVideo request) {
        return request.chunk() != null ? request.chunk() : parts.defaults().chunk().latentFrames();
    }

    private static Settings chunked(ModelParts parts, VideoRequest request) {
        return Settings.of(
                request,
                parts.defaults().inChunks(request.text().sampler()),
                parts.limits().inChunks(),
                parts.schedule());
    }

    private static FewSteps fewSteps(ModelParts parts, TextToVideo request, Settings settings) {
        if (settings.schedule().sampler() != Sampler.FEW_STEP) {
            return null;
        }
        List<Integer> timesteps = parts.defaults().chunk().timesteps();
        if (settings.steps() != timesteps.size()) {
            throw new IllegalArgumentException(
                    "%d steps were asked for, expected %d: the few-step sampler's are at the timesteps %s"
                            .formatted(settings.steps(), timesteps.size(), timesteps));
        }
        if (settings.guidance() != 1) {
            throw new IllegalArgumentException(
                    "guidance is %s, expected 1: the few-step sampler is not guided"
                            .formatted(settings.guidance()));
        }
        boolean asked = request.flowShift() != null || parts.defaults().flowShift() != null;
        double shift = asked ? settings.schedule().flowShift() : FewSteps.LONG_SANA.flowShift();
        return new FewSteps(timesteps, shift, false);
    }

    /** How each chunk is denoised. */
    ChunkSampling sampling() {
        return fewSteps == null
                ? ChunkSampling.of(settings.schedule(), settings.steps(), settings.guidance())
                : ChunkSampling.of(fewSteps);
    }

    /**
     * Where the beats of a story lie in the film; none of a clip of one prompt. A beat that carries
     * on begins with its first chunk, another one with its shot.
     */
    List<FilmBeat> beats() {
        List<FilmBeat> beats = new ArrayList<>();
        List<Integer> begin = film.beginnings();
        for (int i = 0; i < story.size(); i++) {
            long end = i + 1 < story.size() ? begin.get(i + 1) : film.frames();
            String prompt = story.get(i).prompt().strip();
            beats.add(new FilmBeat(i + 1, prompt, scenes.get(i).seed(), begin.get(i), end));
        }
        return beats;
    }

    /** What each beat shows, in words. */
    List<String> prompts() {
        return scenes.stream().map(Scene::prompt).toList();
    }

    /** The first beat of which something is to be made when so many chunks are done. */
    int firstBeat(int done) {
        return film.shots().stream()
                .flatMap(shot -> shot.chunks().stream())
                .skip(done)
                .findFirst()
                .map(Film.Span::beat)
                .orElse(scenes.size());
    }

    /** Whether a beat shows something else than the one before it. */
    boolean changesPrompt(int beat) {
        return !scenes.get(beat).prompt().equals(scenes.get(beat - 1).prompt());
    }

    /** The same with less to do, for who only looks at what it takes. */
    FilmSettings shortened(Film newFilm, int mostSteps) {
        int steps = Math.min(mostSteps, settings.steps());
        return new FilmSettings(
                settings.withSteps(steps),
                scenes,
                newFilm,
                look,
                story,
                chunk,
                window,
                fewSteps,
                guided);
    }

    /** The noise of a span that was given, or null to draw it. */
    Latents noise(Film.Span span) {
        Latents given = settings.initialLatents();
        return given == null ? null : given.slice(span.first(), span.frames());
    }
}
