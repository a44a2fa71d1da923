package io.sanavideo.media;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.ModelFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A story's beat where it lies in its film, dissolves included: it begins with the first picture
 * that shows anything of it and ends where the next one begins.
 *
 * @param number in the story, from 1
 * @param prompt its own, without the story's look
 * @param seed of its noise
 * @param firstFrame its first frame in the film, from 0
 * @param endFrame the frame behind its last
 */
public record FilmBeat(int number, String prompt, long seed, long firstFrame, long endFrame) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * @throws IllegalArgumentException if it cannot be a chapter, see {@link Chapter}
     */
    public FilmBeat {
        new Chapter(prompt, firstFrame, endFrame);
    }

    /** What players show of it. */
    public Chapter chapter() {
        return new Chapter(prompt, firstFrame, endFrame);
    }

    /** How many frames it has. */
    public long frames() {
        return endFrame - firstFrame;
    }

    /**
     * Reads the beats of a film's file: times and prompts are its chapters', seeds its recipe's: a
     * beat's own, or the film's.
     *
     * @param film an mp4 that was made from a story
     * @throws ModelFormatException if it cannot be read or is not such a film
     */
    public static List<FilmBeat> read(Path film) {
        return of(film, ClipInfo.read(film));
    }

    static List<FilmBeat> of(Path film, ClipInfo info) {
        List<Chapter> chapters = info.chapters();
        JsonNode recipe = recipe(film, info);
        JsonNode told = recipe.path("beats");
        if (chapters.isEmpty() || told.size() != chapters.size()) {
            throw new ModelFormatException(
                    "%s has %d chapters and a recipe of %d beats, expected a chapter for each beat: an mp4 made from a story"
                            .formatted(film, chapters.size(), told.size()));
        }
        List<FilmBeat> beats = new ArrayList<>();
        for (int i = 0; i < chapters.size(); i++) {
            Chapter chapter = chapters.get(i);
            JsonNode own = told.path(i).path("seed");
            JsonNode seed = own.isMissingNode() ? recipe.path("seed") : own;
            boolean isSeed = seed.isIntegralNumber() && seed.canConvertToLong();
            if (!isSeed || chapter.endFrame() > info.frames()) {
                throw new ModelFormatException(
                        "%s: beat %d has the seed %s and the frames %d to %d of %d, expected an integer and frames of the film"
                                .formatted(
                                        film,
                                        i + 1,
                                        seed,
                                        chapter.firstFrame(),
                                        chapter.endFrame(),
                                        info.frames()));
            }
            beats.add(
                    new FilmBeat(
                            i + 1,
                            chapter.title(),
                            seed.longValue(),
                            chapter.firstFrame(),
                            chapter.endFrame()));
        }
        return beats;
    }

    private static JsonNode recipe(Path film, ClipInfo info) {
        String recipe = info.metadata().getOrDefault(ClipInfo.RECIPE, "{}");
        try {
            return MAPPER.readTree(recipe);
        } catch (JsonProcessingException e) {
            throw new ModelFormatException(
                    "%s: its recipe is not JSON: %s".formatted(film, e.getOriginalMessage()), e);
        }
    }
}
