package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Latents;
import io.sanavideo.pipeline.ChunkFiles.Done;
import io.sanavideo.pipeline.Film.Span;
import io.sanavideo.weights.ContentHash;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Keeps a film's chunks in a project's folder. Snapshots stay behind the last chunk of each beat,
 * so that the next beat can be made again, and behind the newest one.
 */
final class ProjectLog implements ChunkLog, AutoCloseable {
    private final ChunkFiles files;
    private final Function<Path, FileSink> sinks;
    private final List<ChunkKeys.Key> keys;
    private final List<Span> chunks;

    /** The records of what is done, and of chunks as they are made. */
    private final List<Done> records = new ArrayList<>();

    private final int done;

    /**
     * Records of shots that are not done but have all latents, by chunk; null until they are asked
     * for.
     */
    private Map<Integer, Done> decodable;

    private final Snapshot snapshot;
    private final HashedFrames frames;
    private FileSink segment;

    /**
     * Finds out what is done. A chunk is made again when it was asked to be another, when a file of
     * it is not as it was written, or when there is no snapshot to go on from behind it.
     *
     * @param written how pictures are written, in words
     * @param sinks opens a segment's file
     */
    ProjectLog(
            ChunkFiles files, FilmSettings film, String written, Function<Path, FileSink> sinks) {
        this.files = files;
        this.sinks = sinks;
        keys = ChunkKeys.of(film, written);
        chunks = film.film().shots().stream().flatMap(shot -> shot.chunks().stream()).toList();
        ClipFormat format = film.settings().format();
        snapshot = new Snapshot(format.height(), format.width());
        for (int i = 0; i < chunks.size(); i++) {
            Done record = files.done(i, keys.get(i));
            if (record == null) {
                break;
            }
            records.add(record);
        }
        while (!records.isEmpty() && records.size() < chunks.size() && !canGoOn()) {
            records.remove(records.size() - 1);
        }
        done = records.size();
        frames = new HashedFrames(format, new Segments(), frameCount(), lastHash());
    }

    private boolean canGoOn() {
        int last = records.size() - 1;
        return files.hasSnapshot(last, records.get(last));
    }

    private int frameCount() {
        return records.isEmpty() ? 0 : records.get(records.size() - 1).frames();
    }

    private String lastHash() {
        return records.isEmpty() ? "" : records.get(records.size() - 1).frameHash();
    }

    /** Whether nothing is to be made. */
    boolean isComplete() {
        return done == chunks.size();
    }

    /** Takes the pictures that are still to come. */
    Consumer<ByteBuffer> frames() {
        return frames;
    }

    /** The chain over all pictures. */
    String frameHash() {
        return frames.hash();
    }

    /** The segments of a film that is done, in their order. */
    List<Path> segments() {
        List<Path> segments = new ArrayList<>();
        for (int i = 0; i < records.size(); i++) {
            if (!records.get(i).segment().isEmpty()) {
                segments.add(files.segment(i));
            }
        }
        return segments;
    }

    @Override
    public int done() {
        return done;
    }

    @Override
    public boolean hasLatents(int chunk) {
        if (decodable == null) {
            decodable = decodable();
        }
        return decodable.containsKey(chunk);
    }

    private Map<Integer, Done> decodable() {
        Map<Integer, Done> found = new HashMap<>();
        for (int first = 0; first < chunks.size(); ) {
            int end = first + 1;
            while (end < chunks.size() && chunks.get(end).first() > 0) {
                end++;
            }
            Map<Integer, Done> shot = new HashMap<>();
            for (int i = first; i < end && first >= done; i++) {
                Done record = files.withLatents(i, keys.get(i));
                if (record != null) {
                    shot.put(i, record);
                }
            }
            if (shot.size() == end - first) {
                found.putAll(shot);
            }
            first = end;
        }
        return found;
    }

    @Override
    public Latents latents(int chunk) {
        return LatentsFile.read(files.latents(chunk));
    }

    @Override
    public void restore(ChunkDenoiser denoiser, ShotJoiner joiner) {
        int last = done - 1;
        boolean goesOn = goesOn(last);
        snapshot.read(files.snapshot(last), goesOn ? denoiser : null, joiner);
        if (goesOn) {
            denoiser.restoreNewest(latents(last));
        }
    }

    /** Whether the chunk after this one is of the same shot. */
    private boolean goesOn(int chunk) {
        return chunks.get(chunk + 1).first() > 0;
    }

    @Override
    public void add(int chunk, ChunkDenoiser denoiser, ShotJoiner joiner) {
        LatentsFile.write(files.latents(chunk), denoiser.newest());
        String snapshotHash = "";
        if (chunk + 1 < chunks.size()) {
            snapshotHash = snapshot(chunk, goesOn(chunk) ? denoiser : null, joiner);
        }
        write(chunk, ContentHash.of(files.latents(chunk)), snapshotHash);
    }

    private String snapshot(int chunk, ChunkDenoiser denoiser, ShotJoiner joiner) {
        snapshot.write(files.snapshot(chunk), denoiser, joiner);
        return ContentHash.of(files.snapshot(chunk));
    }

    @Override
    public void addDecoded(int chunk, ShotJoiner joiner) {
        Done before = decodable.get(chunk);
        String snapshotHash = "";
        if (chunk + 1 < chunks.size() && !goesOn(chunk)) {
            snapshotHash = snapshot(chunk, null, joiner);
        } else if (files.hasSnapshot(chunk, before)
                && joiner.waiting().isEmpty()
                && !Snapshot.hasWaiting(files.snapshot(chunk))) {
            // What the transformer remembers there does not depend on the film before the shot.
            snapshotHash = before.snapshot();
        }
        write(chunk, before.latents(), snapshotHash);
    }

    private void write(int chunk, String latentsHash, String snapshotHash) {
        String segmentHash = "";
        if (segment != null) {
            segment.finishSegment();
            segment.close();
            segment = null;
            segmentHash = ContentHash.of(files.segment(chunk));
        }
        Done record =
                new Done(
                        keys.get(chunk),
                        frames.count(),
                        frames.hash(),
                        latentsHash,
                        segmentHash,
                        snapshotHash);
        files.write(chunk, record);
        records.add(record);
        if (chunk > 0 && chunks.get(chunk - 1).beat() == chunks.get(chunk).beat()) {
            files.forgetSnapshot(chunk - 1);
        }
    }

    /** Gives up a segment that is not complete. */
    @Override
    public void close() {
        if (segment != null) {
            segment.close();
        }
    }

    /** Frames into the segment of the chunk that is being made. */
    private final class Segments implements FrameSink {
        @Override
        public void begin(ClipFormat format) {}

        @Override
        public void accept(Frame frame) {
            if (segment == null) {
                segment = sinks.apply(files.segment(records.size()));
            }
            segment.accept(frame);
        }
    }
}
