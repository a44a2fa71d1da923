package io.sanavideo.media;

import io.sanavideo.ModelFormatException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What is known of a video file.
 *
 * @param container the container's names, such as {@code "mov,mp4,m4a,3gp,3g2,mj2"}
 * @param codec such as {@code "h264"}
 * @param width pixels
 * @param height pixels
 * @param fps frames a second, on average; 0 if the file does not say
 * @param frames number of frames
 * @param seconds duration; 0 if the file does not say
 * @param pixelFormat FFmpeg's name, such as {@code "yuv420p"}
 * @param colour how the pixels are to be understood
 * @param metadata the container's own entries and those given to {@link ClipWriter#finish}
 * @param chapters parts with a name; none in most files
 */
public record ClipInfo(
        String container,
        String codec,
        int width,
        int height,
        double fps,
        long frames,
        double seconds,
        String pixelFormat,
        Colour colour,
        Map<String, String> metadata,
        List<Chapter> chapters) {
    /** The metadata key of all that made a clip, as JSON. */
    public static final String RECIPE = "recipe";

    public ClipInfo {
        metadata = Map.copyOf(metadata);
        chapters = List.copyOf(chapters);
    }

    /**
     * The colour tags by FFmpeg's names, such as {@code "bt709"} and the range {@code "tv"}; {@code
     * "unknown"} where there is none.
     */
    public record Colour(String primaries, String transfer, String matrix, String range) {}

    /**
     * Reads what a video file says of itself, without decoding it.
     *
     * @throws ModelFormatException if the file cannot be read or is not a video file
     */
    public static ClipInfo read(Path path) {
        try (ClipReader reader = ClipReader.open(path)) {
            return reader.info();
        }
    }
}
