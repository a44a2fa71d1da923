package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.media.ClipWriter;
import io.sanavideo.media.Quality;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Frames into a file, which appears under its name when {@link #finish} is done. */
public final class FileSink implements FrameSink, AutoCloseable {
    /** Metadata keys of a clip, in any of its forms. */
    public static final String RECIPE = "recipe";

    public static final String FRAME_HASH = "frames_sha256";

    /** What encoded the frames, and its version. */
    public static final String CODEC = "codec";

    private final ClipWriter writer;

    private FileSink(ClipWriter writer) {
        this.writer = writer;
    }

    /** Checks the place and the form; see {@link ClipWriter#open}. */
    public static FileSink open(Path path, ClipFormat format, Quality quality) {
        return new FileSink(
                ClipWriter.open(path, format.width(), format.height(), format.fps(), quality));
    }

    @Override
    public void begin(ClipFormat format) {}

    @Override
    public void accept(Frame frame) {
        writer.write(frame.rgb());
    }

    /** Stores the recipe and closes the file; reports it as {@link Phase#WRITE}. */
    public Generated finish(Generated generated, ProgressListener listener) {
        writing(listener, () -> writer.finish(metadata(generated, writer.codec())));
        return generated;
    }

    /** What a clip's file says of it. */
    static Map<String, String> metadata(Generated generated, String codec) {
        Map<String, String> metadata = new LinkedHashMap<>();
        if (!generated.recipe().isEmpty()) {
            metadata.put(RECIPE, generated.recipe());
        }
        metadata.put(FRAME_HASH, generated.frameHash());
        metadata.put(CODEC, codec);
        return metadata;
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
