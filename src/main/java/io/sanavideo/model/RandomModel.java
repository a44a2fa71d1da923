package io.sanavideo.model;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.Json;
import io.sanavideo.weights.SafetensorsWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * A model folder in the diffusers layout with random weights: everything that a released model's
 * folder holds, for measuring and for tests. Weights are bf16, whatever the released files hold
 * (the 480p transformer's are F32): normal with deviation 1 / sqrt(inputs), norms the identity,
 * biases 0, so that activations neither vanish nor overflow. The same seed makes the same bytes.
 */
public final class RandomModel {
    private static final String INDEX = "model_index.json";
    private static final String SCHEDULER = "scheduler/scheduler_config.json";
    private static final String CONFIG = "config.json";
    private static final String RESOURCES = "/io/sanavideo/random/";
    private static final String DEMO = "/io/sanavideo/demo/";
    private static final List<String> TOKENIZER =
            List.of(
                    "tokenizer/tokenizer.json",
                    "tokenizer/tokenizer_config.json",
                    "tokenizer/special_tokens_map.json");
    private static final int BLOCK_ELEMENTS = 1 << 22;

    /** The configurations that come with the library: those of the released models. */
    public static final List<String> BUILT_IN = List.of("480p", "720p");

    /** A component: its folder, the name of its weights without extension, its tensors. */
    private record Component(String folder, String stem, TensorList tensors) {}

    /** Where a model's small files are read from. */
    private interface Source {
        /** Null when there is no such file. */
        InputStream open(String name) throws IOException;
    }

    private final String name;
    private final Source source;
    private final List<Component> components = new ArrayList<>();

    /** The released model of this name with fewer blocks in its transformer, for measuring. */
    static RandomModel builtIn(String name, int layers) {
        return new RandomModel(
                name,
                file -> {
                    InputStream stream =
                            RandomModel.class.getResourceAsStream(RESOURCES + name + "/" + file);
                    if (!file.equals("transformer/" + CONFIG)) {
                        return stream;
                    }
                    try (stream) {
                        String config = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
                        String key = "\"num_layers\": ";
                        String fewer = config.replaceFirst(key + "\\d+", key + layers);
                        return new ByteArrayInputStream(fewer.getBytes(StandardCharsets.UTF_8));
                    }
                });
    }

    private RandomModel(String name, Source source) {
        this.name = name;
        this.source = source;
        TransformerConfig transformer = TransformerConfig.of(json("transformer/" + CONFIG));
        Gemma2Config text = Gemma2Config.of(json("text_encoder/" + CONFIG));
        components.add(
                new Component(
                        "transformer",
                        "diffusion_pytorch_model",
                        TransformerTensors.of(transformer)));
        components.add(new Component("text_encoder", "model", Gemma2Tensors.of(text, "")));
        components.add(new Component("vae", "diffusion_pytorch_model", vaeTensors()));
    }

    private TensorList vaeTensors() {
        Json config = json("vae/" + CONFIG);
        return config.requiredText("_class_name").equals(LtxVaeConfig.CLASS)
                ? LtxVaeTensors.of(LtxVaeConfig.of(config))
                : WanVaeTensors.of(WanVaeConfig.of(config));
    }

    /** The released model of this name, one of {@link #BUILT_IN}. */
    public static RandomModel builtIn(String name) {
        if (!BUILT_IN.contains(name)) {
            throw new IllegalArgumentException(
                    "there is no built-in configuration '%s', expected one of %s"
                            .formatted(name, BUILT_IN));
        }
        return new RandomModel(
                name, file -> RandomModel.class.getResourceAsStream(RESOURCES + name + "/" + file));
    }

    /**
     * A model as a folder's configurations describe it; weights it may hold are not looked at.
     * Where it has no tokenizer the demo model's is taken.
     *
     * @throws ModelFormatException when a configuration is missing, broken or not supported
     */
    public static RandomModel of(Path folder) {
        return new RandomModel(
                folder.toString(),
                file -> {
                    Path path = folder.resolve(file);
                    return Files.isRegularFile(path) ? Files.newInputStream(path) : null;
                });
    }

    /** Numbers of all components together. */
    public long parameters() {
        return components.stream().mapToLong(component -> component.tensors().elements()).sum();
    }

    /**
     * Writes the folder.
     *
     * @param folder created where it does not exist; must be empty
     * @param progress told how many parameters were written so far, of {@link #parameters()}
     * @throws IllegalArgumentException when the folder is not empty
     * @throws io.sanavideo.DoesNotFitException when the disk is full
     */
    public void write(Path folder, long seed, LongConsumer progress) {
        try {
            Files.createDirectories(folder);
            try (var entries = Files.list(folder)) {
                if (entries.findAny().isPresent()) {
                    throw new IllegalArgumentException(
                            folder + " is not empty; name a folder that is empty or new");
                }
            }
            writeSmallFiles(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be written: " + e, e);
        }
        long written = 0;
        for (Component component : components) {
            writeWeights(folder, component, seed, written, progress);
            written += component.tensors().elements();
        }
    }

    /** Writes one component's configuration and weights into {@code folder/component}. */
    Path writeComponent(String component, Path folder, long seed) {
        Path path = folder.resolve(component);
        try {
            Files.createDirectories(path);
            Files.write(path.resolve(CONFIG), required(component + "/" + CONFIG));
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": cannot be written: " + e, e);
        }
        components.stream()
                .filter(known -> known.folder().equals(component))
                .forEach(known -> writeWeights(folder, known, seed, 0, written -> {}));
        return path;
    }

    private void writeSmallFiles(Path folder) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put(INDEX, required(INDEX));
        files.put(SCHEDULER, required(SCHEDULER));
        for (Component component : components) {
            String config = component.folder() + "/" + CONFIG;
            files.put(config, required(config));
        }
        boolean ownTokenizer = bytes(TOKENIZER.get(0)) != null;
        for (String file : TOKENIZER) {
            byte[] bytes = ownTokenizer ? bytes(file) : demo(file);
            if (bytes != null) {
                files.put(file, bytes);
            }
        }
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = folder.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
    }

    private static byte[] demo(String file) throws IOException {
        try (InputStream stream = RandomModel.class.getResourceAsStream(DEMO + file)) {
            return stream.readAllBytes();
        }
    }

    private byte[] bytes(String file) throws IOException {
        try (InputStream stream = source.open(file)) {
            return stream == null ? null : stream.readAllBytes();
        }
    }

    private byte[] required(String file) {
        try {
            byte[] bytes = bytes(file);
            if (bytes == null) {
                throw new ModelFormatException(name + "/" + file + ": does not exist");
            }
            return bytes;
        } catch (IOException e) {
            throw new ModelFormatException(name + "/" + file + ": cannot be read: " + e, e);
        }
    }

    private Json json(String file) {
        return Json.parse(name + "/" + file, new String(required(file), StandardCharsets.UTF_8));
    }

    private static void writeWeights(
            Path folder, Component component, long seed, long before, LongConsumer progress) {
        Map<String, long[]> shapes = component.tensors().shapes();
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        shapes.forEach(
                (tensor, shape) ->
                        entries.add(
                                new SafetensorsWriter.Entry(
                                        tensor,
                                        DType.BF16,
                                        Arrays.stream(shape).boxed().toList())));
        Path path = folder.resolve(component.folder()).resolve(component.stem() + ".safetensors");
        Map<String, String> metadata = Map.of("format", "pt");
        try (SafetensorsWriter writer = new SafetensorsWriter(path, metadata, entries)) {
            short[] numbers = new short[BLOCK_ELEMENTS];
            ByteBuffer bytes =
                    ByteBuffer.allocateDirect(BLOCK_ELEMENTS * Short.BYTES)
                            .order(ByteOrder.LITTLE_ENDIAN);
            long written = before;
            for (SafetensorsWriter.Entry entry : entries) {
                long[] shape = shapes.get(entry.name());
                long count = TensorList.elements(shape);
                Fill fill = Fill.of(component.folder(), entry.name(), shape, seed);
                for (long first = 0; first < count; first += BLOCK_ELEMENTS) {
                    int block = (int) Math.min(BLOCK_ELEMENTS, count - first);
                    fill.fill(first, block, numbers);
                    bytes.asShortBuffer().put(numbers, 0, block);
                    writer.write(bytes.clear().limit(block * Short.BYTES));
                    bytes.clear();
                    written += block;
                    progress.accept(written);
                }
            }
        }
    }

    /** What a tensor is filled with: random numbers of a deviation, or one constant. */
    private record Fill(NormalNumbers numbers, double deviation, short constant) {
        private static final short ONE = 0x3f80;

        static Fill of(String component, String tensor, long[] shape, long seed) {
            if (tensor.endsWith(".bias") || tensor.equals("latents_mean")) {
                return new Fill(null, 0, (short) 0);
            }
            if (tensor.endsWith("norm.weight")) {
                // Gemma's norms multiply by one plus their weight, the caption's does not.
                boolean onePlus = component.equals("text_encoder");
                return new Fill(null, 0, onePlus ? 0 : ONE);
            }
            if (shape.length == 1 || tensor.endsWith(".gamma")) {
                return new Fill(null, 0, ONE);
            }
            double inputs = (double) TensorList.elements(shape) / shape[0];
            NormalNumbers numbers = NormalNumbers.of(seed, component + "/" + tensor);
            return new Fill(numbers, 1 / Math.sqrt(inputs), (short) 0);
        }

        void fill(long first, int count, short[] out) {
            if (numbers == null) {
                Arrays.fill(out, 0, count, constant);
            } else {
                numbers.fillBf16(first, count, deviation, out);
            }
        }
    }
}
