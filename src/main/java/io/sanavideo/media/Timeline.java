package io.sanavideo.media;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A film's beats as an OpenTimelineIO file, which editing programs open: one track of one clip a
 * beat, each a range of the one film. Times are frame numbers at the film's rate, so that nothing
 * is rounded; each clip's metadata has the beat's number, prompt and seed.
 */
public final class Timeline {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String EXTENSION = ".otio";
    private static final String MEDIA_KEY = "DEFAULT_MEDIA";

    private final String url;
    private final ClipInfo info;

    private Timeline(String url, ClipInfo info) {
        this.url = url;
        this.info = info;
    }

    /**
     * Makes sure that a timeline can be written there, as far as can be known before the film is.
     *
     * @throws IllegalArgumentException if the name does not end in .otio or the place cannot be
     *     written to
     */
    public static void requirePossible(Path target) {
        PartialOutput.file(target, EXTENSION).close();
    }

    /**
     * Writes the timeline of a film. The film is named relative to the timeline's folder: they can
     * be moved together.
     *
     * @param film an mp4 that was made from a story
     * @param target its name ends in .otio; it appears when it is whole, in place of a file that
     *     has the name
     * @throws ModelFormatException if the film cannot be read or has no beats
     * @throws IllegalArgumentException if the target cannot be made
     * @throws DoesNotFitException if the disk is full
     * @throws UncheckedIOException if writing fails otherwise
     */
    public static void write(Path film, Path target) {
        ClipInfo info = ClipInfo.read(film);
        List<FilmBeat> beats = FilmBeat.of(film, info);
        String name = film.toAbsolutePath().getFileName().toString();
        ObjectNode timeline =
                new Timeline(url(film, target), info)
                        .timeline(name.substring(0, Math.max(0, name.lastIndexOf('.'))), beats);
        try (PartialOutput output = PartialOutput.file(target, EXTENSION)) {
            try {
                Files.writeString(output.path(), timeline.toPrettyString() + "\n");
            } catch (IOException e) {
                throw output.failure(e);
            }
            output.commit();
        }
    }

    /** The film as a relative reference (RFC 3986, section 4.2). */
    private static String url(Path film, Path target) {
        Path folder = target.toAbsolutePath().normalize().getParent();
        Path relative = folder.relativize(film.toAbsolutePath().normalize());
        String path = relative.toString().replace(relative.getFileSystem().getSeparator(), "/");
        // A colon before the first slash would make a scheme of what stands before it.
        boolean isLikeScheme = path.split("/", 2)[0].contains(":");
        try {
            return new URI(null, null, isLikeScheme ? "./" + path : path, null).toASCIIString();
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(
                    "cannot name the film %s in a timeline: %s".formatted(film, e.getMessage()), e);
        }
    }

    private ObjectNode timeline(String name, List<FilmBeat> beats) {
        ObjectNode timeline = schema("Timeline.1", name);
        timeline.putNull("global_start_time");
        ObjectNode stack = item("Stack.1", "tracks");
        timeline.set("tracks", stack);
        ObjectNode track = item("Track.1", "beats").put("kind", "Video");
        stack.putArray("children").add(track);
        ArrayNode clips = track.putArray("children");
        beats.forEach(beat -> clips.add(clip(beat)));
        return timeline;
    }

    private ObjectNode clip(FilmBeat beat) {
        ObjectNode clip = item("Clip.2", beat.prompt());
        clip.withObject("/metadata/sana_video")
                .put("beat", beat.number())
                .put("prompt", beat.prompt())
                .put("seed", beat.seed());
        clip.set("source_range", range(beat.firstFrame(), beat.frames()));
        ObjectNode film = schema("ExternalReference.1", "");
        film.set("available_range", range(0, info.frames()));
        film.putNull("available_image_bounds").put("target_url", url);
        clip.putObject("media_references").set(MEDIA_KEY, film);
        return clip.put("active_media_reference_key", MEDIA_KEY);
    }

    private ObjectNode range(long start, long frames) {
        ObjectNode range = MAPPER.createObjectNode().put("OTIO_SCHEMA", "TimeRange.1");
        range.set("start_time", time(start));
        range.set("duration", time(frames));
        return range;
    }

    private ObjectNode time(long frames) {
        return MAPPER.createObjectNode()
                .put("OTIO_SCHEMA", "RationalTime.1")
                .put("value", (double) frames)
                .put("rate", info.fps());
    }

    /** What lies in time: all of its media unless a range is set. */
    private static ObjectNode item(String schema, String name) {
        ObjectNode item = schema(schema, name).putNull("source_range").put("enabled", true);
        item.putArray("effects");
        item.putArray("markers");
        return item;
    }

    private static ObjectNode schema(String schema, String name) {
        ObjectNode node = MAPPER.createObjectNode().put("OTIO_SCHEMA", schema).put("name", name);
        node.putObject("metadata");
        return node;
    }
}
