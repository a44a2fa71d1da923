package io.sanavideo.media;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A part of a clip that players show by name and jump to.
 *
 * @param title what it is called; any text without U+0000 of at most 65535 bytes of UTF-8
 * @param firstFrame its first frame, from 0
 * @param endFrame the frame behind its last
 */
public record Chapter(String title, long firstFrame, long endFrame) {
    // The container counts a title's bytes in 16 bits.
    private static final int LONGEST_TITLE = 65535;

    public Chapter {
        if (title.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "a chapter's title holds the character U+0000, expected none: " + title);
        }
        int bytes = title.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > LONGEST_TITLE) {
            throw new IllegalArgumentException(
                    "a chapter's title has %d bytes, expected at most %d"
                            .formatted(bytes, LONGEST_TITLE));
        }
        if (firstFrame < 0 || endFrame <= firstFrame) {
            throw new IllegalArgumentException(
                    "the chapter \"%s\" has frames %d to %d, expected one frame or more, counted from 0"
                            .formatted(title, firstFrame, endFrame));
        }
    }

    /** Passes on chapters that follow one another from a clip's first frame to its end, or none. */
    static List<Chapter> requireCovering(List<Chapter> chapters, long frames) {
        long end = 0;
        for (Chapter chapter : chapters) {
            if (chapter.firstFrame != end) {
                throw new IllegalArgumentException(
                        "the chapter \"%s\" begins at frame %d, expected %d: chapters follow one another from frame 0"
                                .formatted(chapter.title, chapter.firstFrame, end));
            }
            end = chapter.endFrame;
        }
        if (!chapters.isEmpty() && end != frames) {
            throw new IllegalArgumentException(
                    "the last chapter ends at frame %d, expected %d, where the clip does"
                            .formatted(end, frames));
        }
        return chapters;
    }
}
