package io.sanavideo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A copy of the demo model's folder, to be broken. Files are links until they are changed. */
public final class DemoCopy {
    public static final String TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors";
    static final String VAE = "vae/diffusion_pytorch_model.safetensors";
    static final String TEXT_ENCODER = "text_encoder/model.safetensors";

    private static final int BF16_BYTES = 2;

    private final Path root;

    private DemoCopy(Path root) {
        this.root = root;
    }

    /** Makes a copy at a path that does not exist yet. */
    public static DemoCopy at(Path root) throws IOException {
        Path demo = SanaVideo.demoModel();
        try (Stream<Path> sources = Files.walk(demo)) {
            for (Path source : (Iterable<Path>) sources::iterator) {
                Path target = root.resolve(demo.relativize(source).toString());
                if (Files.isDirectory(source)) {
                    Files.createDirectory(target);
                } else {
                    Files.createSymbolicLink(target, source);
                }
            }
        }
        return new DemoCopy(root);
    }

    public Path root() {
        return root;
    }

    /** Replaces a text that must stand in the file. */
    DemoCopy replace(String file, String text, String replacement) throws IOException {
        String content = Files.readString(root.resolve(file));
        if (!content.contains(text)) {
            throw new IllegalArgumentException(file + " does not contain " + text);
        }
        return write(file, content.replace(text, replacement));
    }

    /** Gives a key of a JSON file, whose value is no object, another value. */
    public DemoCopy set(String file, String key, String value) throws IOException {
        String content = Files.readString(root.resolve(file));
        Matcher entry =
                Pattern.compile("\"" + key + "\": (\\[[^\\]]*\\]|[^,\\n]+)").matcher(content);
        if (!entry.find()) {
            throw new IllegalArgumentException(file + " has no key " + key);
        }
        return write(
                file,
                content.substring(0, entry.start(1)) + value + content.substring(entry.end(1)));
    }

    public DemoCopy write(String file, String content) throws IOException {
        return write(file, content.getBytes(StandardCharsets.UTF_8));
    }

    DemoCopy write(String file, byte[] content) throws IOException {
        Files.deleteIfExists(root.resolve(file));
        Files.write(root.resolve(file), content);
        return this;
    }

    DemoCopy rename(String file, String to) throws IOException {
        Files.move(root.resolve(file), root.resolve(to));
        return this;
    }

    /** Deletes a file, or a folder with all that is in it. */
    DemoCopy delete(String file) throws IOException {
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(root.resolve(file))) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
        return this;
    }

    /** Keeps the first bytes of a file; drops that many from its end when negative. */
    DemoCopy truncate(String file, int bytes) throws IOException {
        byte[] content = Files.readAllBytes(root.resolve(file));
        return write(file, Arrays.copyOf(content, bytes < 0 ? content.length + bytes : bytes));
    }

    /** Changes the first 8 bytes of a safetensors file, the length of its header. */
    DemoCopy headerLength(String file, long length) throws IOException {
        byte[] content = Files.readAllBytes(root.resolve(file));
        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        return write(file, content);
    }

    /** Changes the header of a safetensors file, its data kept. */
    DemoCopy header(String file, UnaryOperator<String> change) throws IOException {
        byte[] content = Files.readAllBytes(root.resolve(file));
        String header = header(content);
        byte[] data = Arrays.copyOfRange(content, dataBegin(content), content.length);
        String changed = change.apply(header);
        if (changed.equals(header)) {
            throw new IllegalArgumentException("the header of " + file + " stays as it is");
        }
        return write(file, joined(changed, data));
    }

    /** Changes the dtype in one tensor's entry. */
    DemoCopy dtype(String file, String tensor, String dtype) throws IOException {
        return header(
                file,
                header ->
                        header.replaceFirst(
                                entry(tensor) + "\"dtype\":\"BF16\"",
                                "\"" + tensor + "\":{\"dtype\":\"" + dtype + "\""));
    }

    /** Drops a tensor and appends it anew: zeros of another shape, or none when dtype is null. */
    DemoCopy reshape(String file, String tensor, String dtype, long... shape) throws IOException {
        byte[] content = Files.readAllBytes(root.resolve(file));
        int[] range = range(content, tensor);
        int removed = range[1] - range[0];
        byte[] data = Arrays.copyOfRange(content, dataBegin(content), content.length);
        int elementBytes = dtype == null || dtype.equals("BF16") ? BF16_BYTES : 4;
        int added =
                dtype == null
                        ? 0
                        : Math.toIntExact(
                                Arrays.stream(shape).reduce(elementBytes, (a, b) -> a * b));
        byte[] changed = new byte[data.length - removed + added];
        System.arraycopy(data, 0, changed, 0, range[0]);
        System.arraycopy(data, range[1], changed, range[0], data.length - range[1]);
        String header = shifted(header(content), tensor, range[1], removed);
        if (dtype != null) {
            header =
                    "{\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]},%s"
                            .formatted(
                                    tensor,
                                    dtype,
                                    Arrays.toString(shape),
                                    data.length - removed,
                                    changed.length,
                                    header.substring(1));
        }
        return write(file, joined(header, changed));
    }

    /** Drops a tensor. */
    DemoCopy drop(String file, String tensor) throws IOException {
        return reshape(file, tensor, null);
    }

    /** Overwrites one bf16 element of a tensor by its bits. */
    public DemoCopy element(String file, String tensor, int element, int bits) throws IOException {
        byte[] content = Files.readAllBytes(root.resolve(file));
        int at = dataBegin(content) + range(content, tensor)[0] + BF16_BYTES * element;
        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putShort(at, (short) bits);
        return write(file, content);
    }

    private static String shifted(String header, String dropped, int from, int by) {
        String without = header.replaceFirst(entry(dropped) + "[^}]*\\},?", "").replace(",}", "}");
        return Pattern.compile("\"data_offsets\":\\[(\\d+),(\\d+)\\]")
                .matcher(without)
                .replaceAll(
                        match -> {
                            int begin = Integer.parseInt(match.group(1));
                            int end = Integer.parseInt(match.group(2));
                            int shift = begin >= from ? by : 0;
                            return "\"data_offsets\":[%d,%d]".formatted(begin - shift, end - shift);
                        });
    }

    private static int[] range(byte[] content, String tensor) {
        Matcher offsets =
                Pattern.compile(entry(tensor) + "[^}]*\"data_offsets\":\\[(\\d+),(\\d+)\\]")
                        .matcher(header(content));
        if (!offsets.find()) {
            throw new IllegalArgumentException("there is no tensor " + tensor);
        }
        return new int[] {Integer.parseInt(offsets.group(1)), Integer.parseInt(offsets.group(2))};
    }

    private static String entry(String tensor) {
        return "\"" + Pattern.quote(tensor) + "\":\\{";
    }

    private static int dataBegin(byte[] content) {
        return 8 + (int) ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private static String header(byte[] content) {
        return new String(content, 8, dataBegin(content) - 8, StandardCharsets.UTF_8);
    }

    private static byte[] joined(String header, byte[] data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .put(data)
                .array();
    }
}
