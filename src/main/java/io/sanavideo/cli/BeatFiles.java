package io.sanavideo.cli;

import io.sanavideo.media.ContactSheet;
import io.sanavideo.media.Timeline;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** Options for what is made of a film's beats, beside the film. */
final class BeatFiles {
    @Option(
            names = "--sheet",
            paramLabel = "FILE",
            description = "Draws a contact sheet of a story's film: a .png with a picture a beat.")
    private Path sheet;

    @Option(
            names = "--timeline",
            paramLabel = "FILE",
            description = "Writes the beats of a story's film for editing programs: an .otio file.")
    private Path timeline;

    boolean areAsked() {
        return sheet != null || timeline != null;
    }

    /** Makes sure that they can be written, as far as can be known before the film is there. */
    void requirePossible() {
        if (sheet != null) {
            ContactSheet.requirePossible(sheet);
        }
        if (timeline != null) {
            Timeline.requirePossible(timeline);
        }
    }

    /**
     * Makes them.
     *
     * @param done told of each
     */
    void write(Path film, Consumer<String> done) {
        if (sheet != null) {
            ContactSheet.write(film, sheet);
            done.accept("contact sheet: " + sheet);
        }
        if (timeline != null) {
            Timeline.write(film, timeline);
            done.accept("timeline: " + timeline);
        }
    }
}
