package io.sanavideo;

import io.sanavideo.media.Quality;
import io.sanavideo.media.TimecodeBurner;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Where a clip goes and how it is kept.
 *
 * @param path a .mp4, a .gif, or a folder for .png images
 * @param quality of the mp4
 * @param timecode whether each picture that is written shows its time, see {@link TimecodeBurner};
 *     {@link Generated#frameHash()} stays that of the pictures without it
 */
public record ClipFile(Path path, Quality quality, boolean timecode) {
    public ClipFile {
        Objects.requireNonNull(path, "path");
        Objects.requireNonNull(quality, "quality");
    }

    /** In {@link Quality#MEDIUM}, as the pictures are. */
    public static ClipFile of(Path path) {
        return new ClipFile(path, Quality.MEDIUM, false);
    }

    /** The same in another quality. */
    public ClipFile in(Quality newQuality) {
        return new ClipFile(path, newQuality, timecode);
    }

    /** The same with the time in each picture. */
    public ClipFile withTimecode() {
        return new ClipFile(path, quality, true);
    }
}
