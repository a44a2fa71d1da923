package io.sanavideo.pipeline;

import io.sanavideo.ClipFile;
import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.media.Chapter;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.media.ClipWriter;
import io.sanavideo.media.FilmBeat;
import io.sanavideo.media.SegmentJoiner;
import io.sanavideo.media.TimecodeBurner;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Frames into a file, which appears under its name when {@link #finish} is done. */
public final class FileSink implements FrameSink, AutoCloseable {
    /** Metadata keys of a clip, in any of its forms. */
    public static final String RECIPE = ClipInfo.RECIPE;

    public static final String FRAME_HASH = "frames_sha256";

    /** What encoded the frames, and its version. */
    public static final String CODEC = "codec";

    /** Says that the pictures show their time. */
    public static final String TIMECODE = "timecode";

    private final ClipWriter writer;
    private final TimecodeBurner burner;
    private final ByteBuffer burned;

    /**
     * @param burner null where the pictures are written as they are
     */
    private FileSink(ClipWriter writer, ClipFormat format, TimecodeBurner burner) {
        this.writer = writer;
        this.burner = burner;
        int bytes = burner == null ? 0 : format.height() * format.width() * 3;
        burned = ByteBuffer.allocate(bytes);
    }

    /** Checks the place and the form; see {@link ClipWriter#open}. */
    public static FileSink open(ClipFile file, ClipFormat format) {
        ClipWriter writer =
                ClipWriter.open(
                        file.path(), format.width(), format.height(), format.fps(), file.quality());
        return new FileSink(writer, format, burner(file, format));
    }

    /**
     * Of some frames of a longer clip, for {@link SegmentJoiner}.
     *
     * @param whole the clip's file, as which the segment is kept
     */
    static FileSink openSegment(Path path, ClipFile whole, ClipFormat format) {
        ClipWriter writer =
                ClipWriter.openSegment(
                        path, format.width(), format.height(), format.fps(), whole.quality());
        return new FileSink(writer, format, burner(whole, format));
    }

    private static TimecodeBurner burner(ClipFile file, ClipFormat format) {
        return file.timecode()
                ? new TimecodeBurner(format.width(), format.height(), format.fps())
                : null;
    }

    @Override
    public void begin(ClipFormat format) {}

    @Override
    public void accept(Frame frame) {
        writer.write(burner == null ? frame.rgb() : burned(frame));
    }

    /** A copy with its time: others who take the frame want it as it is. */
    private ByteBuffer burned(Frame frame) {
        burned.clear().put(frame.rgb().duplicate()).flip();
        burner.burn(burned, frame.index());
        return burned;
    }

    /** Stores the recipe and closes the file; reports it as {@link Phase#WRITE}. */
    public Generated finish(Generated generated, ProgressListener listener) {
        Map<String, String> metadata = metadata(generated, writer.codec(), burner != null);
        writing(listener, () -> writer.finish(metadata, chapters(generated)));
        return generated;
    }

    /** Closes a segment's file, which says by what it was encoded. */
    void finishSegment() {
        writer.finish(Map.of(CODEC, writer.codec()));
    }

    /** What a clip's file says of it. */
    static Map<String, String> metadata(Generated generated, String codec, boolean timecode) {
        Map<String, String> metadata = new LinkedHashMap<>();
        if (!generated.recipe().isEmpty()) {
            metadata.put(RECIPE, generated.recipe());
        }
        metadata.put(FRAME_HASH, generated.frameHash());
        metadata.put(CODEC, codec);
        if (timecode) {
            metadata.put(TIMECODE, "burned in; frames_sha256 is of the frames without it");
        }
        return metadata;
    }

    static List<Chapter> chapters(Generated generated) {
        return generated.beats().stream().map(FilmBeat::chapter).toList();
    }

    /** Runs what writes a file's end, reported as {@link Phase#WRITE}. */
    static void writing(ProgressListener listener, Runnable work) {
        PhaseClock clock = new PhaseClock(listener, Phase.WRITE, 1, null);
        work.run();
        clock.done(1);
    }

    @Override
    public void close() {
        writer.close();
    }
}
