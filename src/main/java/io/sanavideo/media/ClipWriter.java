package io.sanavideo.media;

import io.sanavideo.DoesNotFitException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes one clip; frames are packed RGB24 bytes in sRGB, row-major {@code [height, width, 3]}.
 *
 * <p>Everything goes to a temporary name beside the target (a dot, the target's name, a random
 * part, {@code .part}) and is renamed in one step by {@link #finish}. {@link #close} without {@code
 * finish} removes it, so a cancelled or failed clip leaves nothing; a process killed half way
 * leaves at most the temporary name. After any failure the writer can only be closed. Not for use
 * by two threads at once.
 */
public interface ClipWriter extends AutoCloseable {
    /**
     * Opens a writer by the target's name and makes every check that can be made before the first
     * frame exists.
     *
     * <ul>
     *   <li>{@code .mp4}: H.264, yuv420p, BT.709, the index (moov) first; see {@link Quality}. A
     *       file of that name is replaced by {@code finish}. Width and height must be even.
     *   <li>{@code .gif}: endless loop, 256 colours a frame, at most 50 frames a second. A file of
     *       that name is replaced by {@code finish}.
     *   <li>no extension, or a folder that exists: {@code frame-00000.png} and so on, with {@code
     *       recipe.json}. A folder that holds anything is refused, because what is in it might be
     *       someone's work.
     * </ul>
     *
     * @param width pixels, 1 to 16384
     * @param height pixels, 1 to 16384
     * @param fps frames a second, above 0 and at most 240; the decimal forms of NTSC rates, such as
     *     23.976, mean their fractions, 24000/1001
     * @param quality used by mp4 alone
     * @throws IllegalArgumentException if any of this cannot be honoured: unknown extension, odd
     *     size, missing or unwritable parent folder, a folder that is not empty, no H.264 encoder
     */
    static ClipWriter open(Path target, int width, int height, double fps, Quality quality) {
        AbstractClipWriter.requireSize(width, height);
        FrameRate rate = FrameRate.of(fps);
        String name = target.toAbsolutePath().normalize().getFileName() + "";
        int dot = name.lastIndexOf('.');
        String extension = dot < 1 ? "" : name.substring(dot).toLowerCase(Locale.ROOT);
        if (extension.isEmpty() || Files.isDirectory(target)) {
            return new PngFolderWriter(PartialOutput.folder(target), width, height);
        }
        return switch (extension) {
            case ".mp4" -> Mp4Writer.open(target, width, height, rate, quality);
            case ".gif" -> GifWriter.open(target, width, height, rate);
            default ->
                    throw new IllegalArgumentException(
                            "cannot write %s: %s is not a known form; end the name in .mp4 or .gif, or"
                                            .formatted(target, extension)
                                    + " give a name without a dot for a folder of PNG images");
        };
    }

    /**
     * Opens a writer of one segment: an mp4 of some frames of a longer clip. {@link SegmentJoiner}
     * puts segments, written with equal arguments whenever and by whom ever, one behind the other
     * without encoding them anew. A segment begins with a key frame, nothing in it refers to
     * another, and frames are stored in the order they are shown; otherwise it is as {@link #open}
     * makes it, and can be played for itself.
     *
     * @param target its name ends in .mp4
     * @throws IllegalArgumentException as {@link #open} does, and for any other name
     */
    static ClipWriter openSegment(Path target, int width, int height, double fps, Quality quality) {
        AbstractClipWriter.requireSize(width, height);
        return Mp4Writer.openSegment(target, width, height, FrameRate.of(fps), quality);
    }

    /**
     * Appends one frame, the buffer's remaining bytes; the buffer's position stays where it is and
     * the buffer may be filled anew afterwards.
     *
     * @throws IllegalArgumentException if there are not height * width * 3 bytes
     * @throws DoesNotFitException if the disk is full, naming the target
     * @throws UncheckedIOException if writing fails otherwise
     */
    void write(ByteBuffer rgb);

    /**
     * Completes the clip; afterwards it exists under its asked name. Stores the metadata, any keys
     * with any text: in the mp4's own metadata, in a comment of the gif, in {@code recipe.json} and
     * the text chunks of the first image of a PNG folder.
     *
     * @throws IllegalStateException if no frame was written
     * @throws DoesNotFitException if the disk is full, naming the target
     * @throws UncheckedIOException if writing fails otherwise
     */
    default void finish(Map<String, String> metadata) {
        finish(metadata, List.of());
    }

    /**
     * Completes the clip as {@link #finish(Map)} does and, in an mp4, stores chapters, to the
     * nearest millisecond. A gif and a folder have no place for them.
     *
     * @param chapters one after the other from frame 0 to the clip's end, or none
     * @throws IllegalArgumentException if they leave a gap or do not end where the clip does
     */
    void finish(Map<String, String> metadata, List<Chapter> chapters);

    /** The form of the pictures and who writes it, such as {@code "h264 (libopenh264)"}. */
    String codec();

    /** Frees everything, and removes the temporary output unless {@link #finish} has completed. */
    @Override
    void close();
}
