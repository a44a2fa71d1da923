package io.sanavideo.pipeline;

import io.sanavideo.ClipFile;
import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Progress;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.media.ClipWriter;
import io.sanavideo.media.FilmBeat;
import io.sanavideo.media.TimecodeBurner;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
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
        burned = ByteBuffer.allocateDirect(bytes);
    }

    /** Checks the place and the form; see {@link ClipWriter#open}. */
    public static FileSink open(ClipFile file, ClipFormat format) {
        int width = format.width();
        int height = format.height();
        double fps = format.fps();
        TimecodeBurner burner = file.timecode() ? new TimecodeBurner(width, height, fps) : null;
        return new FileSink(
                ClipWriter.open(file.path(), width, height, fps, file.quality()), format, burner);
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
        long start = System.nanoTime();
        listener.onProgress(new Progress(Phase.WRITE, 0, 1, Duration.ZERO, null));
        Map<String, String> metadata = new LinkedHashMap<>();
        if (!generated.recipe().isEmpty()) {
            metadata.put(RECIPE, generated.recipe());
        }
        metadata.put(FRAME_HASH, generated.frameHash());
        metadata.put(CODEC, writer.codec());
        if (burner != null) {
            metadata.put(TIMECODE, "burned in; frames_sha256 is of the frames without it");
        }
        writer.finish(metadata, generated.beats().stream().map(FilmBeat::chapter).toList());
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        listener.onProgress(new Progress(Phase.WRITE, 1, 1, elapsed, null));
        return generated;
    }

    @Override
    public void close() {
        writer.close();
    }
}
