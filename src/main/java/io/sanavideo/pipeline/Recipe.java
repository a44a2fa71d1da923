package io.sanavideo.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Beat;
import io.sanavideo.ClipFormat;
import io.sanavideo.LayerPolicy;
import io.sanavideo.StartImage;
import io.sanavideo.Transition;
import io.sanavideo.runtime.Native;
import java.util.Map;
import java.util.function.Consumer;

/**
 * All that made a clip, as JSON: the settings, the weights by their hashes, and the build and
 * machine that computed it. The same recipe on the same build and kind of machine makes the same
 * frames.
 */
final class Recipe {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Recipe() {}

    /**
     * @param tile pixels of a side of the tiles that frames were decoded in; 0 for whole frames
     * @param weights SHA-256 of each component's weights, by the component's name
     * @param layers which layers of a quantised transformer ran in what; null for a dense one
     * @param dtypes what each component ran in, by its name
     * @param loras adds what the transformer was adapted by
     * @param kernels adds which kernels were chosen
     */
    static String of(
            Job job,
            int tile,
            Map<String, String> weights,
            LayerPolicy layers,
            Map<String, String> dtypes,
            String device,
            int threads,
            Consumer<ObjectNode> loras,
            Consumer<ObjectNode> kernels) {
        Settings settings = job.settings();
        ObjectNode recipe = MAPPER.createObjectNode();
        recipe.put("sana_video", Native.version());
        recipe.put("prompt", settings.prompt());
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
        recipe.put("noise", settings.initialLatents() == null ? "seed" : "given");
        recipe.put("seed", settings.seed());
        if (settings.image() != null) {
            describe(settings.image(), recipe);
        }
        if (job instanceof FilmSettings film) {
            describe(film, recipe);
        }
        putAll(recipe.putObject("weights_sha256"), weights);
        loras.accept(recipe);
        putAll(recipe.putObject("dtype"), dtypes);
        if (tile != 0) {
            recipe.put("tile", tile);
        }
        if (layers != null) {
            recipe.set("precision", layers.json());
        }
        recipe.put("device", device);
        recipe.put("threads", threads);
        kernels.accept(recipe);
        recipe.put("cpu_variant", Native.cpuVariant());
        recipe.put("native_build", Native.build());
        recipe.put("java", Runtime.version().toString());
        return text(recipe);
    }

    private static void describe(StartImage start, ObjectNode recipe) {
        ObjectNode image = recipe.putObject("image");
        image.put("width", start.width());
        image.put("height", start.height());
        image.put("sha256", start.sha256());
    }

    private static void describe(FilmSettings film, ObjectNode recipe) {
        recipe.put("chunk", film.chunk());
        recipe.put("num_cached_chunks", film.window());
        ArrayNode beats = recipe.putArray("beats");
        for (int i = 0; i < film.story().size(); i++) {
            Beat beat = film.story().get(i);
            ObjectNode described = beats.addObject();
            described.put("seconds", beat.seconds());
            described.put("prompt", film.scenes().get(i).prompt());
            described.put("seed", film.scenes().get(i).seed());
            if (i > 0) {
                described.put("transition", beat.transition().label());
            }
            if (i > 0 && beat.transition() == Transition.DISSOLVE) {
                described.put("dissolve", beat.dissolve());
            }
            if (beat.image() != null) {
                describe(beat.image(), described);
            }
        }
    }

    private static void putAll(ObjectNode node, Map<String, String> values) {
        values.forEach(node::put);
    }

    private static String text(ObjectNode recipe) {
        try {
            return MAPPER.writeValueAsString(recipe);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
