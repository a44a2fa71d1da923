package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Beat;
import io.sanavideo.ClipFormat;
import io.sanavideo.ImageToVideo;
import io.sanavideo.Materials;
import io.sanavideo.Sampler;
import io.sanavideo.StartImage;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import io.sanavideo.VideoRequest;
import io.sanavideo.text.Instruction;
import io.sanavideo.weights.Json;
import java.util.ArrayList;
import java.util.List;

/**
 * What was asked for, blanks filled in, as a recipe says it: written from a job, and read as the
 * request or story of which the same model makes the same job.
 */
final class RecipeSettings {
    /** Of all recipes, clips of one prompt, stories, and beats. */
    static final List<String> KEYS =
            List.of(
                    "prompt",
                    "look",
                    "beats",
                    "negative_prompt",
                    "motion_score",
                    "instruction",
                    "width",
                    "height",
                    "frames",
                    "fps",
                    "steps",
                    "guidance_scale",
                    "sampler",
                    "flow_shift",
                    "timesteps",
                    "max_sequence_length",
                    "noise",
                    "noise_sha256",
                    "seed",
                    "image",
                    "chunk",
                    "num_cached_chunks");

    private static final List<String> BEAT_KEYS =
            List.of("seconds", "prompt", "seed", "transition", "dissolve", "image");
    private static final String BEATS = "beats";
    private static final String CHUNK = "chunk";
    private static final String OFF = "off";
    private static final String GIVEN = "given";
    private static final String IMAGE = "image";

    private RecipeSettings() {}

    static void describe(Job job, ObjectNode recipe) {
        Settings settings = job.settings();
        if (job instanceof FilmSettings film && !film.story().isEmpty()) {
            recipe.put("look", film.look());
            describe(film.story(), recipe);
        } else {
            recipe.put("prompt", settings.prompt());
        }
        recipe.put("negative_prompt", settings.negativePrompt());
        if (settings.motionScore() != null) {
            recipe.put("motion_score", settings.motionScore());
        }
        recipe.put("instruction", settings.instruction().text());
        ClipFormat format = settings.format();
        recipe.put("width", format.width());
        recipe.put("height", format.height());
        recipe.put("frames", format.frames());
        recipe.put("fps", format.fps());
        recipe.put("steps", settings.steps());
        recipe.put("guidance_scale", settings.guidance());
        recipe.put("sampler", settings.schedule().sampler().label());
        recipe.put("flow_shift", settings.schedule().flowShift());
        recipe.put("max_sequence_length", settings.maxTokens());
        recipe.put("noise", settings.initialLatents() == null ? "seed" : GIVEN);
        if (settings.initialLatents() != null) {
            recipe.put("noise_sha256", settings.initialLatents().sha256());
        }
        recipe.put("seed", settings.seed());
        if (settings.image() != null) {
            describe(settings.image(), recipe);
        }
        if (job instanceof FilmSettings film) {
            recipe.put(CHUNK, film.chunk());
            recipe.put("num_cached_chunks", film.window());
            if (film.fewSteps() != null) {
                ArrayNode timesteps = recipe.putArray("timesteps");
                film.fewSteps().timesteps().forEach(timesteps::add);
            }
        } else {
            recipe.put(CHUNK, OFF);
        }
    }

    private static void describe(StartImage start, ObjectNode recipe) {
        ObjectNode image = recipe.putObject(IMAGE);
        image.put("width", start.width());
        image.put("height", start.height());
        image.put("sha256", start.sha256());
    }

    /** A beat's seed stands there only where it has one of its own. */
    private static void describe(List<Beat> story, ObjectNode recipe) {
        ArrayNode beats = recipe.putArray(BEATS);
        for (Beat beat : story) {
            ObjectNode described = beats.addObject();
            described.put("seconds", beat.seconds());
            described.put("prompt", beat.prompt());
            if (beat.seed() != null) {
                described.put("seed", beat.seed());
            }
            described.put("transition", beat.transition().label());
            described.put("dissolve", beat.dissolve());
            if (beat.image() != null) {
                describe(beat.image(), described);
            }
        }
    }

    static boolean isStory(Json recipe) {
        return recipe.has(BEATS);
    }

    /**
     * The request of a clip of one prompt.
     *
     * @throws IllegalArgumentException when the materials lack what it begins with
     */
    static VideoRequest request(Json recipe, Materials materials) {
        TextToVideo.Builder text = text(recipe, "prompt").frames(recipe.requiredInt("frames", 1));
        if (recipe.has("noise_sha256")) {
            text.initialLatents(materials.noise(recipe.requiredText("noise_sha256")));
        }
        return recipe.has(IMAGE)
                ? new ImageToVideo(image(recipe, materials), text.build())
                : text.build();
    }

    /**
     * @throws IllegalArgumentException when the materials lack an image
     */
    static Story story(Json recipe, Materials materials) {
        List<Beat> beats = new ArrayList<>();
        for (Json beat : recipe.requiredObjects(BEATS)) {
            Beat read = beat(beat);
            beats.add(beat.has(IMAGE) ? read.beginningWith(image(beat, materials)) : read);
        }
        return new Story(text(recipe, "look").build(), beats);
    }

    private static StartImage image(Json recipe, Materials materials) {
        return materials.image(recipe.requiredObject(IMAGE).requiredText("sha256"));
    }

    /** The images that it names, by their SHA-256. */
    static List<String> images(Json recipe) {
        List<Json> scenes = new ArrayList<>(List.of(recipe));
        if (isStory(recipe)) {
            scenes.addAll(recipe.requiredObjects(BEATS));
        }
        return scenes.stream()
                .filter(scene -> scene.has(IMAGE))
                .map(scene -> scene.requiredObject(IMAGE).requiredText("sha256"))
                .toList();
    }

    private static TextToVideo.Builder text(Json recipe, String prompt) {
        TextToVideo.Builder text =
                TextToVideo.prompt(recipe.requiredText(prompt))
                        .negativePrompt(recipe.requiredText("negative_prompt"))
                        .instruction(instruction(recipe.requiredText("instruction")))
                        .size(recipe.requiredInt("width", 1), recipe.requiredInt("height", 1))
                        .fps(recipe.requiredDouble("fps"))
                        .steps(recipe.requiredInt("steps", 1))
                        .guidance(recipe.requiredDouble("guidance_scale"))
                        .sampler(Sampler.parse(recipe.requiredText("sampler")))
                        .flowShift(recipe.requiredDouble("flow_shift"))
                        .seed(recipe.requiredLong("seed"))
                        .chunk(chunk(recipe));
        if (recipe.has("motion_score")) {
            text.motionScore(recipe.requiredInt("motion_score", 0));
        }
        return text;
    }

    private static Instruction instruction(String text) {
        return text.isEmpty() ? Instruction.NONE : Instruction.of(text);
    }

    private static int chunk(Json recipe) {
        boolean off = recipe.node().path(CHUNK).asText().equals(OFF);
        return off ? TextToVideo.WHOLE_CLIP : recipe.requiredInt(CHUNK, 1);
    }

    private static Beat beat(Json beat) {
        return new Beat(
                beat.requiredDouble("seconds"),
                beat.requiredText("prompt"),
                Transition.parse(beat.requiredText("transition")),
                beat.requiredDouble("dissolve"),
                beat.has("seed") ? beat.requiredLong("seed") : null,
                null);
    }

    /**
     * Looks at all of it, whatever images and noise it names.
     *
     * @throws io.sanavideo.ModelFormatException when a key is missing or of another kind
     * @throws IllegalArgumentException when a value is none that a request may have
     */
    static void require(Json recipe) {
        boolean story = isStory(recipe);
        text(recipe, story ? "look" : "prompt").build();
        recipe.requiredInt("frames", 1);
        recipe.requiredInt("max_sequence_length", 2);
        images(recipe);
        String noise = recipe.requiredText("noise");
        if (noise.equals(GIVEN) != recipe.has("noise_sha256")
                || !(noise.equals(GIVEN) || noise.equals("seed"))) {
            throw recipe.unexpected("noise", "\"seed\", or \"given\" and noise_sha256");
        }
        if (chunk(recipe) != TextToVideo.WHOLE_CLIP) {
            recipe.requiredInt("num_cached_chunks", -1);
        }
        if (recipe.requiredText("sampler").equals(Sampler.FEW_STEP.label())) {
            recipe.requiredInts("timesteps", 1, 1000);
        }
        if (story) {
            for (Json beat : recipe.requiredObjects(BEATS)) {
                Recipe.requireOnly(beat, BEAT_KEYS);
                beat(beat);
            }
        }
    }
}
