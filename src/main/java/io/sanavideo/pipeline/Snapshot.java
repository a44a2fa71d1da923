package io.sanavideo.pipeline;

import io.sanavideo.ModelFormatException;
import io.sanavideo.model.ChunkMemory;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.HostMemory;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.SafetensorsWriter;
import io.sanavideo.weights.SafetensorsWriter.Entry;
import io.sanavideo.weights.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What goes on behind a chunk, in a safetensors file: what each branch of the transformer
 * remembers, where the shot goes on, and the pictures that wait for a dissolve. Not in it is what
 * the chunks' latents tell: the newest, which may be remembered anew, and those of the decoder's
 * reach.
 */
final class Snapshot {
    private static final String VERSION = "1";
    private static final String FORMAT = "snapshot";
    private static final String PROMPT = "prompt";
    private static final String NEGATIVE = "negative";
    private static final String PICTURE = "picture";
    private static final String WAITING = "waiting";
    private static final int COLOURS = 3;

    private final int height;
    private final int width;

    /**
     * Of pictures of a size.
     *
     * @param height pixels
     * @param width pixels
     */
    Snapshot(int height, int width) {
        this.height = height;
        this.width = width;
    }

    /**
     * Writes one.
     *
     * @param denoiser null where the next chunk begins a shot, and knows of nothing
     */
    void write(Path file, ChunkDenoiser denoiser, ShotJoiner joiner) {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put(FORMAT, VERSION);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        if (denoiser != null) {
            texts.put(PICTURE, Integer.toString(joiner.index()));
            memories(denoiser)
                    .forEach(
                            (branch, memory) -> {
                                texts.put(branch, text(memory.extent()));
                                memory.tensors()
                                        .forEach(
                                                (name, tensor) ->
                                                        tensors.put(branch + "." + name, tensor));
                            });
        }
        List<Entry> entries = new ArrayList<>();
        tensors.forEach((name, tensor) -> entries.add(entry(name, tensor)));
        List<ByteBuffer> waiting = joiner.waiting();
        if (!waiting.isEmpty()) {
            List<Long> shape =
                    List.of((long) waiting.size(), (long) height, (long) width, (long) COLOURS);
            entries.add(new Entry(WAITING, DType.U8, shape));
        }
        try (SafetensorsWriter writer = new SafetensorsWriter(file, texts, entries)) {
            for (Tensor tensor : tensors.values()) {
                try (HostMemory host = new HostMemory(Math.toIntExact(tensor.bytes()))) {
                    ByteBuffer bytes = host.buffer();
                    tensor.download(bytes.duplicate());
                    writer.write(bytes);
                }
            }
            waiting.forEach(picture -> writer.write(picture.duplicate()));
        }
    }

    private static Map<String, ChunkMemory> memories(ChunkDenoiser denoiser) {
        Map<String, ChunkMemory> memories = new LinkedHashMap<>();
        memories.put(PROMPT, denoiser.prompt());
        if (denoiser.negative() != null) {
            memories.put(NEGATIVE, denoiser.negative());
        }
        return memories;
    }

    private static Entry entry(String name, Tensor tensor) {
        List<Long> shape = new ArrayList<>();
        for (long size : tensor.shape()) {
            shape.add(size);
        }
        return new Entry(name, tensor.dtype(), shape);
    }

    private static String text(ChunkMemory.Extent extent) {
        return "%d %d %d".formatted(extent.chunks(), extent.frames(), extent.newestFrames());
    }

    /**
     * Puts one back.
     *
     * @param denoiser null where the next chunk begins a shot
     * @throws ModelFormatException when it is of another version, or of a chunk of another kind
     */
    void read(Path file, ChunkDenoiser denoiser, ShotJoiner joiner) {
        try (SafetensorsFile stored = SafetensorsFile.open(file)) {
            if (!VERSION.equals(stored.metadata().get(FORMAT))) {
                throw new ModelFormatException(
                        "%s: %s is '%s', expected %s, as this version writes it"
                                .formatted(file, FORMAT, stored.metadata().get(FORMAT), VERSION));
            }
            int index = 0;
            if (denoiser != null) {
                index = numbers(stored, PICTURE, 1)[0];
                memories(denoiser).forEach((branch, memory) -> read(stored, branch, memory));
            }
            joiner.restore(index);
            readWaiting(stored, joiner);
        }
    }

    /** Whether pictures that wait for a dissolve are in one. */
    static boolean hasWaiting(Path file) {
        try (SafetensorsFile stored = SafetensorsFile.open(file)) {
            return stored.tensors().containsKey(WAITING);
        }
    }

    private static void read(SafetensorsFile stored, String branch, ChunkMemory memory) {
        memory.tensors()
                .forEach((name, tensor) -> read(stored.tensor(branch + "." + name), tensor));
        int[] extent = numbers(stored, branch, 3);
        memory.restore(new ChunkMemory.Extent(extent[0], extent[1], extent[2]));
    }

    private static void read(StoredTensor stored, Tensor tensor) {
        Entry expected = entry(stored.name(), tensor);
        if (stored.dtype() != expected.dtype() || !stored.shape().equals(expected.shape())) {
            throw new ModelFormatException(
                    "%s: tensor '%s' is %s %s, expected %s %s"
                            .formatted(
                                    stored.file().path(),
                                    stored.name(),
                                    stored.dtype(),
                                    stored.shape(),
                                    expected.dtype(),
                                    expected.shape()));
        }
        try (HostMemory host = new HostMemory(Math.toIntExact(tensor.bytes()))) {
            ByteBuffer bytes = host.buffer();
            stored.read(0, bytes.duplicate());
            tensor.upload(bytes);
        }
    }

    private void readWaiting(SafetensorsFile stored, ShotJoiner joiner) {
        StoredTensor pictures = stored.tensors().get(WAITING);
        int bytes = height * width * COLOURS;
        for (long at = 0; pictures != null && at < pictures.bytes(); at += bytes) {
            pictures.read(at, joiner.addWaiting(bytes));
        }
    }

    private static int[] numbers(SafetensorsFile stored, String key, int count) {
        String text = stored.metadata().getOrDefault(key, "");
        String[] words = text.split(" ");
        int[] numbers = new int[count];
        try {
            for (int i = 0; i < count; i++) {
                numbers[i] = Integer.parseInt(words[i]);
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new ModelFormatException(
                    "%s: %s is '%s', expected %d whole numbers"
                            .formatted(stored.path(), key, text, count),
                    e);
        }
        return numbers;
    }
}
