package io.sanavideo.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Device;
import io.sanavideo.Kernels;
import io.sanavideo.LayerPolicy;
import io.sanavideo.Materials;
import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.Story;
import io.sanavideo.VideoRequest;
import io.sanavideo.runtime.vendor.KernelChoices;
import io.sanavideo.weights.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * All that made a clip, as JSON: the settings, the weights by their hashes, and the build and
 * machine that computed it. The same recipe on the same build and kind of machine makes the same
 * frames. Images, given noise and LoRAs are named by their hashes; the paths of files are not in
 * it.
 */
public final class Recipe {
    /** The form that is written and read. */
    public static final int FORMAT = 1;

    static final String FORMAT_KEY = "recipe_format";
    static final String MODEL = "model";
    static final String WEIGHTS = "weights_sha256";
    static final String CONFIGURATION = "configuration_sha256";
    static final String KERNELS = "kernels";

    private static final String DEMO = "demo";
    private static final String TILE = "tile";
    private static final String DTYPES = "dtype";
    private static final String PRECISION = "requested_dtype";
    private static final String LAYERS = "precision";
    private static final String SOURCE = "the recipe";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Json json;

    private Recipe(Json json) {
        this.json = json;
    }

    /**
     * The recipe of a job.
     *
     * @param tile pixels of a side of the tiles that frames were decoded in; 0 for whole frames
     * @param folder of the model
     * @param asked what was asked for as the precision
     * @param dtypes what each component ran in, by its name
     * @param kernels adds which kernels were chosen
     */
    static Recipe of(
            Job job,
            int tile,
            ModelFolder folder,
            Precision asked,
            Map<String, String> dtypes,
            WeightHashes weights,
            LoraHashes loras,
            Machine machine,
            Consumer<ObjectNode> kernels) {
        ObjectNode recipe = MAPPER.createObjectNode();
        recipe.put(FORMAT_KEY, FORMAT);
        RecipeSettings.describe(job, recipe);
        recipe.put(MODEL, name(folder));
        putAll(recipe.putObject(WEIGHTS), weights.all());
        recipe.put(CONFIGURATION, weights.configuration());
        loras.describe(recipe);
        recipe.put(PRECISION, asked.label());
        putAll(recipe.putObject(DTYPES), dtypes);
        if (tile != 0) {
            recipe.put(TILE, tile);
        }
        if (folder.isQuantized()) {
            recipe.set(LAYERS, folder.policy().json());
        }
        machine.describe(recipe);
        kernels.accept(recipe);
        return new Recipe(Json.parse(SOURCE, text(recipe)));
    }

    private static String name(ModelFolder folder) {
        return folder.root().equals(ModelFolder.demo())
                ? DEMO
                : folder.root().toAbsolutePath().normalize().getFileName().toString();
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

    /**
     * Reads what {@link #json()} wrote.
     *
     * @throws ModelFormatException when it is no recipe, one of an older or newer form, or one with
     *     a key or value that this project does not write, naming it
     */
    public static Recipe read(String text) {
        Json json = Json.parse(SOURCE, text);
        if (!json.has(FORMAT_KEY)) {
            throw new ModelFormatException(
                    "%s: it is none, or an older version's, which does not hold all that made its clip"
                            .formatted(json.unexpected(FORMAT_KEY, "1").getMessage()));
        }
        if (json.requiredInt(FORMAT_KEY, 1) != FORMAT) {
            throw new ModelFormatException(
                    "%s: a newer version wrote it"
                            .formatted(json.unexpected(FORMAT_KEY, "1").getMessage()));
        }
        try {
            return new Recipe(json).checked();
        } catch (IllegalArgumentException e) {
            throw new ModelFormatException(SOURCE + ": " + e.getMessage(), e);
        }
    }

    private Recipe checked() {
        List<String> keys =
                new ArrayList<>(
                        List.of(
                                FORMAT_KEY,
                                MODEL,
                                WEIGHTS,
                                CONFIGURATION,
                                LoraHashes.LORAS,
                                LoraHashes.MODE,
                                PRECISION,
                                DTYPES,
                                TILE,
                                LAYERS,
                                KERNELS));
        keys.addAll(RecipeSettings.KEYS);
        keys.addAll(Machine.BUILD);
        keys.addAll(Machine.OF_DEVICE);
        keys.addAll(Machine.LIBRARIES);
        requireOnly(json, keys);
        RecipeSettings.require(json);
        Machine.require(json);
        modelName();
        texts(WEIGHTS);
        json.requiredText(CONFIGURATION);
        precision();
        texts(DTYPES);
        tile();
        layers();
        libraries();
        LoraHashes.require(json);
        return this;
    }

    /**
     * @throws ModelFormatException when there is another key than these
     */
    static void requireOnly(Json json, List<String> keys) {
        for (String key : json.keys()) {
            if (!keys.contains(key)) {
                throw json.unexpected(key, "no such key");
            }
        }
    }

    /** The text, one JSON object, as a clip's file holds it. */
    public String json() {
        return text(json.node());
    }

    /** Whether it is a story's, not a clip's of one prompt. */
    public boolean isStory() {
        return RecipeSettings.isStory(json);
    }

    /**
     * The request of which the same model makes the same clip.
     *
     * @throws IllegalArgumentException when this is a story's, or materials that it names are
     *     missing
     */
    public VideoRequest request(Materials materials) {
        if (isStory()) {
            throw new IllegalArgumentException(
                    "the recipe is a story's, expected a clip's of one prompt");
        }
        return RecipeSettings.request(json, materials);
    }

    /**
     * The story of which the same model makes the same film.
     *
     * @throws IllegalArgumentException when this is none, or materials that it names are missing
     */
    public Story story(Materials materials) {
        if (!isStory()) {
            throw new IllegalArgumentException(
                    "the recipe is a clip's of one prompt, expected a story's");
        }
        return RecipeSettings.story(json, materials);
    }

    /** SHA-256 of the images that it names, in their order; equal ones as often as they stand. */
    public List<String> images() {
        return RecipeSettings.images(json);
    }

    /** Whether its initial noise was given, and is so no seed's. */
    public boolean isNoiseGiven() {
        return json.has("noise_sha256");
    }

    /** The model's name: {@code demo}, or that of its folder. */
    public String modelName() {
        return json.requiredText(MODEL);
    }

    /** Where it ran; a CPU with its threads. */
    public Device device() {
        return Machine.device(json);
    }

    /** The instruction set of the CPU kernels: "v2", "v3", "v4" or "v4-bf16". */
    public String cpuVariant() {
        return json.requiredText(Machine.CPU_VARIANT);
    }

    /**
     * A model that runs as the recipe says: precision, layers, tiles, LoRAs and their scales, the
     * kernels of a card where the libraries are here that they are of, and threads where the base
     * leaves them open.
     *
     * @param base its folder and device stay; its LoRAs' files are found by their hashes
     * @throws IllegalArgumentException when a LoRA of the recipe is missing, or another is there
     */
    public Model model(Model base) {
        Device device = base.device();
        boolean open = device.kind() == Device.Kind.CPU && device.threads() == 0;
        if (open && device().kind() == Device.Kind.CPU) {
            device = device();
        }
        return new Model(
                base.folder(),
                device,
                precision(),
                layers(),
                kernels(device),
                base.trusted(),
                LoraHashes.matching(json, base.loras()),
                LoraHashes.mode(json),
                base.memory(),
                tile());
    }

    private Kernels kernels(Device device) {
        if (libraries().isEmpty()) {
            return Kernels.OWN;
        }
        return KernelChoices.has(device, libraries()) ? Kernels.ofRecipe(json()) : Kernels.AUTO;
    }

    private Map<String, String> libraries() {
        return texts(json.requiredObject(KERNELS).requiredObject("libraries"));
    }

    private Map<String, String> texts(String key) {
        return texts(json.requiredObject(key));
    }

    private static Map<String, String> texts(Json object) {
        Map<String, String> texts = new LinkedHashMap<>();
        object.keys().forEach(key -> texts.put(key, object.requiredText(key)));
        return texts;
    }

    private Precision precision() {
        return Precision.parse(json.requiredText(PRECISION));
    }

    private LayerPolicy layers() {
        return json.has(LAYERS)
                ? LayerPolicy.of(json.requiredObject(LAYERS))
                : LayerPolicy.OF_MODEL;
    }

    private int tile() {
        return json.optionalInt(TILE, 1, Model.WHOLE_FRAMES);
    }

    /**
     * What is not the same in another recipe, such as that of the same job done here: sentences
     * that begin with build, device, libraries, weights or settings, in this order. Empty when
     * nothing that recipes hold differs; the model's name does not count.
     */
    public List<String> differences(Recipe other) {
        return RecipeDifferences.of(json.node(), other.json.node());
    }

    /** As {@link #differences}, whatever was made: by what, and how that computes. */
    List<String> differencesInMaking(Recipe other) {
        return RecipeDifferences.of(withoutSettings(), other.withoutSettings());
    }

    private ObjectNode withoutSettings() {
        return json.node().deepCopy().without(RecipeSettings.KEYS);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Recipe recipe && json.node().equals(recipe.json.node());
    }

    @Override
    public int hashCode() {
        return json.node().hashCode();
    }

    @Override
    public String toString() {
        return json();
    }
}
