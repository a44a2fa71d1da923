package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ClipFormat;
import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.runtime.CacheFile;
import io.sanavideo.runtime.Native;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * How long generations took on this machine's devices, so that a plan can say how long one will
 * take. Kept in {@code speeds.json}; see {@link CacheFile}.
 */
final class Speeds {
    private static final String FILE = "speeds.json";

    /** Clips kept for a device and model; the oldest goes first. */
    private static final int KEPT = 16;

    /** A measured clip this many times larger or smaller says little of another one. */
    private static final double FARTHEST = 8;

    private final CacheFile file = new CacheFile(FILE);
    private final String key;

    private Speeds(String key) {
        this.key = key;
    }

    /** The speeds of a model on a device. */
    static Speeds of(ModelParts parts, Device device, Map<String, String> dtypes) {
        String model = parts.transformer() + " " + dtypes;
        String key =
                "%s, %s %s, %08x"
                        .formatted(
                                name(device), Native.version(), Native.build(), model.hashCode());
        return new Speeds(key);
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
        ObjectNode all = file.read();
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
        file.write(all);
    }

    /** How long a clip will take once all is loaded; empty when none like it was measured. */
    Optional<Duration> estimate(ClipFormat format, int steps, int branches) {
        double size = size(format);
        JsonNode nearest = null;
        double least = FARTHEST;
        for (JsonNode clip : file.read().path(key)) {
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
}
