package io.sanavideo;

import io.sanavideo.media.Quality;
import io.sanavideo.pipeline.Denoised;
import io.sanavideo.pipeline.FileSink;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A generated clip: it holds the latents, and decodes frames each time it is asked for them. Of use
 * while its {@link SanaVideo} is open; what it holds itself, {@link #latents()}, stays.
 */
public final class Clip {
    private final SanaVideo sana;
    private final Denoised denoised;

    Clip(SanaVideo sana, Denoised denoised) {
        this.sana = sana;
        this.denoised = denoised;
    }

    /** Size, length and speed. */
    public ClipFormat format() {
        return denoised.settings().format();
    }

    /** The seed of the noise: the request's, or the one that was drawn. */
    public long seed() {
        return denoised.settings().seed();
    }

    /** The clip in latent space. */
    public Latents latents() {
        return denoised.latents();
    }

    /** Decodes the clip and hands its frames on, one by one. */
    public Generated decode(FrameSink sink, ProgressListener listener) {
        return sana.decode(denoised, sink, listener);
    }

    /** Decodes the clip into images; all of them at once in memory. */
    public List<BufferedImage> toImages() {
        List<BufferedImage> images = new ArrayList<>();
        decode(
                new FrameSink() {
                    @Override
                    public void begin(ClipFormat format) {}

                    @Override
                    public void accept(Frame frame) {
                        images.add(frame.toImage());
                    }
                },
                ProgressListener.NONE);
        return images;
    }

    /** Decodes the clip into an H.264 mp4 file of {@link Quality#MEDIUM}. */
    public Generated writeMp4(Path path) {
        if (!path.toString().endsWith(".mp4")) {
            throw new IllegalArgumentException(
                    "'%s' does not end in .mp4; write() takes .gif and folders of .png too"
                            .formatted(path));
        }
        return write(path, Quality.MEDIUM, ProgressListener.NONE);
    }

    /** Decodes the clip into a file: .mp4, .gif, or a folder of .png. */
    public Generated write(Path path, Quality quality, ProgressListener listener) {
        return write(new ClipFile(path, quality, false), listener);
    }

    /** As the other, with more to say of the file. */
    public Generated write(ClipFile file, ProgressListener listener) {
        try (FileSink sink = FileSink.open(file, format())) {
            return sink.finish(decode(sink, listener), listener);
        }
    }
}
