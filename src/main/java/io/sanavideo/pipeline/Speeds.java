package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ClipFormat;
import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Native;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * How long generations took on this machine's devices, so that a plan can say how long one will
 * take. Kept in {@code speeds.json} in the folder that {@code SANA_CACHE} names, or {@code
 * sana-video} in the user's cache folder; {@code SANA_CACHE=off} keeps nothing. A file that cannot
 * be read or written is done without.
 */
final class Speeds {
    private static final String FILE = "speeds.json";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Clips kept for a device and model; the oldest goes first. */
    private static final int KEPT = 16;

    /** A measured clip this many times larger or smaller says little of another one. */
    private static final double FARTHEST = 8;

    private final Path file;
    private final String key;

    private Speeds(Path file, String key) {
        this.file = file;
        this.key = key;
    }

    /** The speeds of a model on a device. */
    static Speeds of(ModelParts parts, Device device, Map<String, String> dtypes) {
        String model = parts.transformer() + " " + dtypes;
        String key =
                "%s, %s %s, %08x"
                        .formatted(
                                name(device), Native.version(), Native.build(), model.hashCode());
        return new Speeds(folder(), key);
    }

    private static Path folder() {
        String named = System.getenv("SANA_CACHE");
        if (named != null) {
            return named.equals("off") ? null : Path.of(named, FILE);
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        Path root =
                cache != null && !cache.isEmpty()
                        ? Path.of(cache)
                        : Path.of(System.getProperty("user.home"), ".cache");
        return root.resolve("sana-video").resolve(FILE);
    }

    private static String name(Device device) {
        if (device.kind() == Device.Kind.CPU) {
            int threads = device.threads();
            return "cpu %s, %d threads"
                    .formatted(
                            Native.cpuVariant(),
                            threads != 0 ? threads : Runtime.getRuntime().availableProcessors());
        }
        try {
            return CudaDevice.all().get(device.index()).name();
        } catch (DeviceException | IndexOutOfBoundsException e) {
            return "a card that is not here";
        }
    }

    /**
     * Keeps what a clip took.
     *
     * @param branches transformer runs a step
     */
    void add(
            ClipFormat format,
            int steps,
            int branches,
            Duration encode,
            Duration denoise,
            Duration decode) {
        if (file == null) {
            return;
        }
        ObjectNode all = read();
        ArrayNode clips = all.withArray(key);
        double size = size(format);
        for (int i = clips.size() - 1; i >= 0; i--) {
            if (clips.get(i).path("size").doubleValue() == size) {
                clips.remove(i);
            }
        }
        clips.addObject()
                .put("size", size)
                .put("encode_s", seconds(encode))
                .put("branch_s", seconds(denoise) / steps / branches)
                .put("decode_s", seconds(decode));
        while (clips.size() > KEPT) {
            clips.remove(0);
        }
        write(all);
    }

    /** How long a clip will take once all is loaded; empty when none like it was measured. */
    Optional<Duration> estimate(ClipFormat format, int steps, int branches) {
        if (file == null) {
            return Optional.empty();
        }
        double size = size(format);
        JsonNode nearest = null;
        double least = FARTHEST;
        for (JsonNode clip : read().path(key)) {
            double ratio = clip.path("size").doubleValue() / size;
            double distance = Math.max(ratio, 1 / ratio);
            if (distance <= least) {
                least = distance;
                nearest = clip;
            }
        }
        if (nearest == null) {
            return Optional.empty();
        }
        // Linear attention: time grows as tokens do.
        double scale = size / nearest.path("size").doubleValue();
        double seconds =
                nearest.path("encode_s").doubleValue()
                        + scale
                                * (nearest.path("branch_s").doubleValue() * steps * branches
                                        + nearest.path("decode_s").doubleValue());
        return Optional.of(Duration.ofNanos(Math.round(seconds * 1e9)));
    }

    private static double size(ClipFormat format) {
        return (double) format.frames() * format.width() * format.height();
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    private ObjectNode read() {
        try {
            if (Files.isRegularFile(file)
                    && MAPPER.readTree(file.toFile()) instanceof ObjectNode known) {
                return known;
            }
        } catch (IOException e) {
            // As if nothing had been measured: the next clip writes the file anew.
        }
        return MAPPER.createObjectNode();
    }

    private void write(ObjectNode all) {
        try {
            Files.createDirectories(file.getParent());
            Path fresh = Files.createTempFile(file.getParent(), FILE, ".new");
            MAPPER.writerWithDefaultPrettyPrinter().writeValue(fresh.toFile(), all);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // A home that cannot be written to must not end a generation that is complete.
        }
    }
}
