package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.ContentHash;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * A project's files of its chunks: for each its latents, a segment of the film where pictures came
 * out, and a record of these, which is written last and says that the chunk is done; and snapshots
 * of what goes on behind a chunk. Chunks are numbered from 0, their files from 1. Every file
 * appears under its name when it is complete.
 */
final class ChunkFiles {
    private static final int VERSION = 1;

    /** Of a record itself. */
    private static final String HASH = "record_sha256";

    /**
     * A chunk that is done.
     *
     * @param key what it was asked to be
     * @param frames pictures of the film up to its end
     * @param frameHash chain over these, empty where there are none yet
     * @param latents SHA-256 of its latents' file
     * @param segment SHA-256 of its segment, empty where no pictures came out
     * @param snapshot SHA-256 of the snapshot behind it, empty at the end of the film
     */
    record Done(
            ChunkKeys.Key key,
            int frames,
            String frameHash,
            String latents,
            String segment,
            String snapshot) {}

    private final Path folder;

    /** In a folder, which is made where it is not there. */
    ChunkFiles(Path folder) {
        this.folder = folder;
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be made: " + e, e);
        }
    }

    private Path file(int chunk, String rest) {
        return folder.resolve("%05d%s".formatted(chunk + 1, rest));
    }

    Path latents(int chunk) {
        return file(chunk, ".safetensors");
    }

    Path segment(int chunk) {
        return file(chunk, ".mp4");
    }

    Path snapshot(int chunk) {
        return file(chunk, ".snapshot.safetensors");
    }

    private Path record(int chunk) {
        return file(chunk, ".json");
    }

    /**
     * The record of a chunk that was made under a key and whose files are as they were written;
     * null where it is to be made.
     */
    Done done(int chunk, ChunkKeys.Key key) {
        Done done = withLatents(chunk, key);
        boolean same =
                done != null
                        && done.key.equals(key)
                        && (done.segment.isEmpty() || isSame(segment(chunk), done.segment));
        return same ? done : null;
    }

    /**
     * The record of a chunk whose latents are what they are to be, though it may have been part of
     * another film; null where there is none.
     */
    Done withLatents(int chunk, ChunkKeys.Key key) {
        if (!Files.exists(record(chunk))) {
            return null;
        }
        Done done;
        try {
            done = read(chunk);
        } catch (ModelFormatException e) {
            // A record that cannot be read says of nothing that it is done.
            return null;
        }
        boolean same =
                done.key.latents().equals(key.latents()) && isSame(latents(chunk), done.latents);
        return same ? done : null;
    }

    /** Whether the snapshot behind a chunk is there and as it was written. */
    boolean hasSnapshot(int chunk, Done done) {
        return !done.snapshot.isEmpty() && isSame(snapshot(chunk), done.snapshot);
    }

    private static boolean isSame(Path file, String hash) {
        return Files.exists(file) && ContentHash.of(file).equals(hash);
    }

    private Done read(int chunk) {
        Json json = Json.read(record(chunk));
        json.requiredInt("chunk", VERSION, VERSION);
        ObjectNode rest = json.node().deepCopy();
        rest.remove(HASH);
        if (!json.requiredText(HASH).equals(ContentHash.of(rest.toString()))) {
            throw json.unexpected(HASH, "that of the rest: it was changed");
        }
        return new Done(
                new ChunkKeys.Key(json.requiredText("film_key"), json.requiredText("latents_key")),
                json.requiredInt("frames", 0),
                json.requiredText("frames_sha256"),
                json.requiredText("latents_sha256"),
                json.requiredText("segment_sha256"),
                json.requiredText("snapshot_sha256"));
    }

    /** Says that a chunk is done, whose files are there. */
    void write(int chunk, Done done) {
        ObjectNode json =
                new ObjectMapper()
                        .createObjectNode()
                        .put("chunk", VERSION)
                        .put("film_key", done.key.film())
                        .put("latents_key", done.key.latents())
                        .put("frames", done.frames)
                        .put("frames_sha256", done.frameHash)
                        .put("latents_sha256", done.latents)
                        .put("segment_sha256", done.segment)
                        .put("snapshot_sha256", done.snapshot);
        json.put(HASH, ContentHash.of(json.toString()));
        TextFile.write(record(chunk), json.toPrettyString() + "\n");
    }

    /** Removes the snapshot behind a chunk, where there is one. */
    void forgetSnapshot(int chunk) {
        delete(snapshot(chunk));
    }

    /**
     * Removes what an interrupted run has left, and all of chunks from a number on.
     *
     * @throws ModelFormatException when the folder cannot be read
     */
    void clean(int chunks) {
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(file -> isOver(file.getFileName().toString(), chunks))
                    .forEach(ChunkFiles::delete);
        } catch (IOException e) {
            throw new ModelFormatException(folder + ": cannot be read: " + e, e);
        }
    }

    private static boolean isOver(String name, int chunks) {
        return name.endsWith(TextFile.PART)
                || name.matches("\\d{5,9}\\..*")
                        && Integer.parseInt(name.substring(0, name.indexOf('.'))) > chunks;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be removed: " + e, e);
        }
    }
}
