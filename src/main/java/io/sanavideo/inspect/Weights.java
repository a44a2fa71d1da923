package io.sanavideo.inspect;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The headers of one or more safetensors files.
 *
 * @param files their names
 * @param tensors all tensors, in the order of the files
 * @param metadata of all files together
 */
record Weights(List<String> files, List<Entry> tensors, Map<String, String> metadata) {
    /** One tensor. */
    record Entry(String name, String dtype, List<Long> shape, long elements, long bytes) {}

    /** Of open files, which are not needed afterwards. */
    static Weights of(List<SafetensorsFile> open) {
        List<String> files = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        Map<String, String> metadata = new TreeMap<>();
        for (SafetensorsFile file : open) {
            files.add(file.path().getFileName().toString());
            metadata.putAll(file.metadata());
            for (StoredTensor tensor : file.tensors().values()) {
                entries.add(
                        new Entry(
                                tensor.name(),
                                tensor.dtype().name(),
                                tensor.shape(),
                                tensor.elements(),
                                tensor.bytes()));
            }
        }
        return new Weights(files, entries, metadata);
    }

    long parameters() {
        return tensors.stream().mapToLong(Entry::elements).sum();
    }

    long bytes() {
        return tensors.stream().mapToLong(Entry::bytes).sum();
    }

    /** Parameters of each dtype. */
    Map<String, Long> dtypes() {
        Map<String, Long> dtypes = new TreeMap<>();
        tensors.forEach(entry -> dtypes.merge(entry.dtype(), entry.elements(), Long::sum));
        return dtypes;
    }

    /** Such as {@code 42 tensors, 1,234,567 parameters, 2.5 MB, BF16}. */
    String summary() {
        return String.format(
                Locale.ROOT,
                "%d tensors, %,d parameters, %s, %s",
                tensors.size(),
                parameters(),
                size(bytes()),
                String.join(" and ", dtypes().keySet()));
    }

    private static String size(long bytes) {
        return bytes < 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
    }

    /** One line a tensor, then one a metadata entry. */
    String table() {
        int width = tensors.stream().mapToInt(entry -> entry.name().length()).max().orElse(0);
        StringBuilder lines = new StringBuilder();
        for (Entry entry : tensors) {
            lines.append(
                    String.format(
                            Locale.ROOT,
                            "  %-" + Math.max(1, width) + "s  %-4s  %-24s  %,d bytes%n",
                            entry.name(),
                            entry.dtype(),
                            entry.shape(),
                            entry.bytes()));
        }
        metadata.forEach(
                (key, value) -> lines.append("  metadata: %s = %s%n".formatted(key, value)));
        return lines.toString();
    }

    /** Puts totals into an object. */
    void putTotals(ObjectNode object) {
        object.put("tensor_count", tensors.size());
        object.put("parameters", parameters());
        object.put("bytes", bytes());
        ObjectNode counts = object.putObject("parameters_by_dtype");
        dtypes().forEach(counts::put);
    }

    /** Puts every tensor and the metadata into an object. */
    void putTensors(ObjectNode object) {
        ArrayNode array = object.putArray("tensors");
        for (Entry entry : tensors) {
            ObjectNode tensor =
                    array.addObject().put("name", entry.name()).put("dtype", entry.dtype());
            ArrayNode shape = tensor.putArray("shape");
            entry.shape().forEach(shape::add);
            tensor.put("bytes", entry.bytes());
        }
        ObjectNode texts = object.putObject("metadata");
        metadata.forEach(texts::put);
    }
}
