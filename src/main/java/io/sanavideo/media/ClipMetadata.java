package io.sanavideo.media;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The metadata of a clip in any form that {@link ClipWriter} writes. */
public final class ClipMetadata {
    private ClipMetadata() {}

    /**
     * Reads what was given to {@link ClipWriter#finish}, and of a video file the container's own
     * entries.
     *
     * @param clip a video file, or a folder of images with its {@code recipe.json}
     * @throws ModelFormatException when it is neither, or cannot be read
     */
    public static Map<String, String> read(Path clip) {
        if (!Files.isDirectory(clip)) {
            return ClipInfo.read(clip).metadata();
        }
        Path file = clip.resolve(PngFolderWriter.METADATA);
        try {
            return MetadataJson.read(Files.readString(file).strip());
        } catch (IOException e) {
            throw new ModelFormatException(
                    "%s: %s cannot be read (%s); expected a folder of images as this project writes it"
                            .formatted(clip, PngFolderWriter.METADATA, e),
                    e);
        }
    }
}
