package io.sanavideo.pipeline;

import io.sanavideo.LayerPolicy;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Receipt;
import io.sanavideo.model.LtxVaeConfig;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.WanVaeConfig;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A model folder in the diffusers layout, its {@code model_index.json} read and its components
 * found.
 *
 * @param root the folder
 * @param index its {@code model_index.json}
 * @param layers which layers of its transformer run in what
 * @param trusted whether quantised weights are taken without a receipt
 * @param loras what its transformer is adapted by
 * @param loraMode how
 * @param memory bytes of a device's memory that it may take
 * @param tile pixels of a side of the tiles that frames are decoded in; 0 where memory decides
 */
public record ModelFolder(
        Path root,
        Json index,
        LayerPolicy layers,
        boolean trusted,
        List<Lora> loras,
        LoraMode loraMode,
        long memory,
        int tile) {
    private static final String INDEX = "model_index.json";
    private static final String DEMO = "/io/sanavideo/demo/" + INDEX;

    /** The class of a transformer that was trained to make long video chunk by chunk. */
    private static final String CAUSAL = "SanaVideoCausalTransformer3DModel";

    /** Classes that each component may be of. */
    private static final Map<String, Set<String>> SUPPORTED =
            Map.of(
                    "transformer", Set.of("SanaVideoTransformer3DModel", CAUSAL),
                    "vae", Set.of(WanVaeConfig.CLASS, LtxVaeConfig.CLASS),
                    "text_encoder", Set.of("Gemma2Model", "Gemma2ForCausalLM"),
                    "scheduler",
                            Set.of(
                                    "DPMSolverMultistepScheduler",
                                    "UniPCMultistepScheduler",
                                    "FlowMatchEulerDiscreteScheduler"));

    /**
     * @throws ModelFormatException when the folder or its index is missing or broken, or a
     *     component is of a class that this version does not run
     */
    public static ModelFolder of(Model model) {
        return open(
                model.folder(),
                model.layers(),
                model.trusted(),
                model.loras(),
                model.loraMode(),
                model.memory(),
                model.tile());
    }

    /** The folder of a model whose layers run as it says itself. */
    public static ModelFolder open(Path root) {
        return open(
                root,
                LayerPolicy.OF_MODEL,
                false,
                List.of(),
                LoraMode.MERGE,
                Model.ALL_MEMORY,
                Model.WHOLE_FRAMES);
    }

    private static ModelFolder open(
            Path root,
            LayerPolicy layers,
            boolean trusted,
            List<Lora> loras,
            LoraMode loraMode,
            long memory,
            int tile) {
        if (!Files.isDirectory(root)) {
            throw new ModelFormatException(
                    "%s: %s, expected a model folder in the diffusers layout"
                            .formatted(
                                    root,
                                    Files.exists(root) ? "is not a folder" : "does not exist"));
        }
        Json index = Json.read(root.resolve(INDEX));
        ModelFolder folder =
                new ModelFolder(root, index, layers, trusted, loras, loraMode, memory, tile);
        SUPPORTED.forEach(folder::requireComponent);
        folder.requireFolder("tokenizer");
        folder.receipt();
        folder.policy();
        return folder;
    }

    /**
     * The receipt that its quantised transformer must fit; null where it is dense, or trusted.
     *
     * @throws ModelFormatException when there is none
     */
    Receipt receipt() {
        return trusted || !isQuantized() ? null : Receipt.read(root);
    }

    /** Whether the index says that the transformer was trained to go on chunk by chunk. */
    boolean isCausal() {
        return index.requiredTexts("transformer")[1].equals(CAUSAL);
    }

    /** Whether weights of the transformer are NVFP4. */
    boolean isQuantized() {
        return SanaTransformer.isQuantized(transformer());
    }

    /**
     * Which layers of the transformer run in what, as it is asked for and as the folder says.
     *
     * @throws IllegalArgumentException when these do not go together
     */
    LayerPolicy policy() {
        return layers.over(SanaTransformer.storedPolicy(transformer()));
    }

    private void requireComponent(String name, Set<String> supported) {
        String[] classOf = index.requiredTexts(name);
        if (classOf.length != 2 || !supported.contains(classOf[1])) {
            throw index.unexpected(
                    name,
                    "[library, class] with one of the classes "
                            + supported.stream().sorted().toList());
        }
        requireFolder(name);
    }

    private void requireFolder(String name) {
        if (!Files.isDirectory(root.resolve(name))) {
            throw new ModelFormatException("%s: the folder '%s' is missing".formatted(root, name));
        }
    }

    public Path transformer() {
        return root.resolve("transformer");
    }

    public Path vae() {
        return root.resolve("vae");
    }

    public Path textEncoder() {
        return root.resolve("text_encoder");
    }

    /** The folders of weights, in the order in which a generation needs them. */
    public List<Path> weights() {
        return List.of(textEncoder(), transformer(), vae());
    }

    /**
     * The files beside the weights that say how the model computes, in a fixed order: its index,
     * its components' configurations, its defaults, and the tokenizer.
     *
     * @throws ModelFormatException when the tokenizer's folder cannot be read
     */
    List<Path> configurations() {
        List<Path> files = new ArrayList<>();
        files.add(root.resolve(INDEX));
        weights().forEach(component -> files.add(component.resolve("config.json")));
        files.add(schedulerConfig());
        files.add(root.resolve(GenerationDefaults.FILE));
        try (Stream<Path> parts = Files.list(tokenizer())) {
            parts.filter(Files::isRegularFile).sorted().forEach(files::add);
        } catch (IOException e) {
            throw new ModelFormatException(tokenizer() + ": cannot be read: " + e, e);
        }
        // A folder may have no defaults of its own.
        return files.stream().filter(Files::exists).toList();
    }

    public Path tokenizer() {
        return root.resolve("tokenizer");
    }

    public Path schedulerConfig() {
        return root.resolve("scheduler").resolve("scheduler_config.json");
    }

    /** The folder of the built-in demo model; inside the jar when the library runs from one. */
    public static Path demo() {
        try {
            URI index = ModelFolder.class.getResource(DEMO).toURI();
            if (index.getScheme().equals("jar")) {
                openJar(index);
            }
            return Path.of(index).getParent();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void openJar(URI inside) {
        try {
            FileSystems.newFileSystem(inside, Map.of());
        } catch (FileSystemAlreadyExistsException e) {
            // Opened before, by us or by the application, and never closed by us.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
