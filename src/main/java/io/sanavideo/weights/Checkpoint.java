package io.sanavideo.weights;

import io.sanavideo.ModelFormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The weights of one component of a model: {@code STEM.safetensors}, or {@code
 * STEM.safetensors.index.json} with the shards it names, where STEM is {@code
 * diffusion_pytorch_model} or {@code model}. A folder that holds more than one of these is refused,
 * since it does not say which is meant. Opening reads headers only. Safe for use by several
 * threads.
 */
public final class Checkpoint implements AutoCloseable {
    private static final List<String> STEMS = List.of("diffusion_pytorch_model", "model");
    private static final Pattern SHARD_NAME = Pattern.compile("\\w[\\w.+-]*\\.safetensors");

    private final Path folder;
    private final List<SafetensorsFile> files;
    private final Map<String, StoredTensor> tensors;

    private Checkpoint(
            Path folder, List<SafetensorsFile> files, Map<String, StoredTensor> tensors) {
        this.folder = folder;
        this.files = List.copyOf(files);
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /**
     * Opens the checkpoint of a component folder.
     *
     * @throws ModelFormatException when there is none or more than one, a file of it is broken, a
     *     shard is missing, or index and shards disagree
     */
    public static Checkpoint open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new ModelFormatException(folder + ": is not a folder, expected one with weights");
        }
        List<String> names =
                STEMS.stream()
                        .map(stem -> stem + ".safetensors")
                        .flatMap(name -> List.of(name, name + ".index.json").stream())
                        .toList();
        List<Path> found =
                names.stream().map(folder::resolve).filter(path -> Files.exists(path)).toList();
        if (found.isEmpty()) {
            throw new ModelFormatException(
                    "%s: has no weights, expected one of %s".formatted(folder, names));
        }
        if (found.size() > 1) {
            throw new ModelFormatException(
                    "%s: more than one checkpoint, %s; remove those that are not meant"
                            .formatted(folder, found.stream().map(Path::getFileName).toList()));
        }
        Path path = found.get(0);
        if (path.toString().endsWith(".json")) {
            return openShards(folder, path);
        }
        SafetensorsFile file = SafetensorsFile.open(path);
        return new Checkpoint(folder, List.of(file), file.tensors());
    }

    private static Checkpoint openShards(Path folder, Path index) {
        Json weightMap = Json.read(index).requiredObject("weight_map");
        Map<String, List<String>> namesOfShard = new TreeMap<>();
        for (String name : weightMap.keys()) {
            String shard = weightMap.requiredText(name);
            if (!SHARD_NAME.matcher(shard).matches()) {
                throw weightMap.unexpected(
                        name, "the name of a .safetensors file in the same folder");
            }
            namesOfShard.computeIfAbsent(shard, key -> new ArrayList<>()).add(name);
        }
        List<SafetensorsFile> files = new ArrayList<>();
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, List<String>> shard : namesOfShard.entrySet()) {
                SafetensorsFile file = openShard(folder.resolve(shard.getKey()), index);
                files.add(file);
                for (String name : shard.getValue()) {
                    tensors.put(name, file.tensor(name));
                }
                requireIndexed(file, tensors, index);
            }
            return new Checkpoint(folder, files, tensors);
        } catch (Throwable e) {
            files.forEach(SafetensorsFile::close);
            throw e;
        }
    }

    private static SafetensorsFile openShard(Path path, Path index) {
        if (!Files.exists(path)) {
            throw new ModelFormatException(
                    "%s: missing shard, named by %s".formatted(path, index.getFileName()));
        }
        return SafetensorsFile.open(path);
    }

    private static void requireIndexed(
            SafetensorsFile file, Map<String, StoredTensor> tensors, Path index) {
        for (StoredTensor tensor : file.tensors().values()) {
            StoredTensor indexed = tensors.get(tensor.name());
            if (indexed == null || indexed.file() != file) {
                throw SafetensorsHeader.fault(
                        file.path(),
                        tensor.name(),
                        tensor.begin(),
                        "stands in this shard, but %s does not say so"
                                .formatted(index.getFileName()));
            }
        }
    }

    /** The component's folder. */
    public Path folder() {
        return folder;
    }

    /** The file, or the shards by name. */
    public List<SafetensorsFile> files() {
        return files;
    }

    /** The names of all tensors. */
    public Set<String> names() {
        return tensors.keySet();
    }

    /** Bytes of all tensors together. */
    public long bytes() {
        return tensors.values().stream().mapToLong(StoredTensor::bytes).sum();
    }

    /** Whether there is a tensor of this name. */
    public boolean has(String name) {
        return tensors.containsKey(name);
    }

    /**
     * The tensor of this name.
     *
     * @throws ModelFormatException when it is missing
     */
    public StoredTensor require(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new ModelFormatException(
                    "%s: missing tensor '%s' among %d".formatted(folder, name, tensors.size()));
        }
        return tensor;
    }

    /**
     * The tensor of this name, checked to have this shape.
     *
     * @throws ModelFormatException when it is missing or its shape differs
     */
    public StoredTensor require(String name, long... shape) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new ModelFormatException(
                    "%s: missing tensor '%s', expected with shape %s"
                            .formatted(folder, name, Arrays.toString(shape)));
        }
        if (!tensor.shape().equals(Arrays.stream(shape).boxed().toList())) {
            throw SafetensorsHeader.fault(
                    tensor.file().path(),
                    name,
                    tensor.begin(),
                    "has shape %s, expected %s as config.json says"
                            .formatted(tensor.shape(), Arrays.toString(shape)));
        }
        return tensor;
    }

    /** Closes the files; tensors of this checkpoint can no longer be read. */
    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }
}
