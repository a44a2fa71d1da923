package io.sanavideo;

import io.sanavideo.media.Quality;
import io.sanavideo.pipeline.CallQueue;
import io.sanavideo.pipeline.ClipCodec;
import io.sanavideo.pipeline.FileSink;
import io.sanavideo.pipeline.ModelFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A model's VAE alone: clips to latents and back. Calls run one at a time, on the codec's own
 * thread, and may come from any.
 *
 * <pre>{@code
 * try (LatentCodec codec = LatentCodec.open(Model.at(SanaVideo.demoModel(), Device.cpu()))) {
 *     Latents latents = codec.encode(Path.of("clip.mp4"), ProgressListener.NONE);
 *     codec.decodeTo(latents, Path.of("again.mp4"), Quality.HIGH, ProgressListener.NONE);
 * }
 * }</pre>
 */
public final class LatentCodec implements AutoCloseable {
    private final ClipCodec codec;
    private final CallQueue calls;

    private LatentCodec(ClipCodec codec) {
        this.codec = codec;
        calls = new CallQueue("sana-video-vae", codec::cancel, codec::resume);
    }

    /**
     * Opens a model, of which nothing but the VAE is loaded, its encoder or decoder when that is
     * needed. Of the model's settings those that concern a VAE count: device, precision and tile.
     *
     * <p>{@link Model#memory()} is not looked at: the codec plans nothing.
     *
     * @throws ModelFormatException when the folder or a configuration in it is broken
     * @throws DeviceException when the device cannot be used
     */
    public static LatentCodec open(Model model) {
        return new LatentCodec(
                ClipCodec.open(ModelFolder.of(model), model.device(), model.precision()));
    }

    /**
     * Encodes a video file as it is.
     *
     * @param listener hears {@link Progress.Phase#LOAD} and {@link Progress.Phase#ENCODE}, a step a
     *     frame
     * @return the mean that the encoder predicts, normalised as the transformer takes it
     * @throws ModelFormatException when the file cannot be read or holds no pictures
     * @throws IllegalArgumentException when the VAE cannot do its size or number of frames, naming
     *     the nearest that it can
     * @throws CancelledException after {@link #cancel()}
     */
    public Latents encode(Path clip, ProgressListener listener) {
        return calls.run(() -> codec.encode(clip, 0, 0, 0, calls::throwIfCancelled, listener));
    }

    /**
     * Encodes the first frames of a video file at another size: their middle is cut out and scaled
     * (Lanczos).
     *
     * @param width pixels, a multiple of the VAE's spatial factor
     * @param height pixels, likewise
     * @param frames a multiple of the VAE's temporal factor, plus 1; 0 for all
     */
    public Latents encode(Path clip, int width, int height, int frames, ProgressListener listener) {
        if (width < 1 || height < 1 || frames < 0) {
            throw new IllegalArgumentException(
                    "%d frames of %dx%d were asked for, expected a size from 1x1 on and frames from 0 on"
                            .formatted(frames, width, height));
        }
        return calls.run(
                () -> codec.encode(clip, width, height, frames, calls::throwIfCancelled, listener));
    }

    /**
     * Encodes an image: its middle is cut out and scaled (Lanczos).
     *
     * @param width pixels, a multiple of the VAE's spatial factor
     * @param height pixels, likewise
     * @return one latent frame
     */
    public Latents encode(StartImage image, int width, int height, ProgressListener listener) {
        return calls.run(() -> codec.encode(image, width, height, listener));
    }

    /**
     * Decodes latents and hands their frames on.
     *
     * @param latents normalised, such as {@link #encode} or a generation makes them
     * @param fps frames a second of the clip; 0 for the model's own
     * @return SHA-256 chain over the frames, as {@link Generated#frameHash()}
     * @throws IllegalArgumentException when their channels are not those of the VAE
     */
    public String decode(Latents latents, double fps, FrameSink sink, ProgressListener listener) {
        return calls.run(
                () -> codec.decode(latents, orOwn(fps), sink, calls::throwIfCancelled, listener));
    }

    /**
     * Decodes latents into a file at the model's own frame rate; see {@link SanaVideo#generateTo}.
     */
    public Generated decodeTo(
            Latents latents, Path path, Quality quality, ProgressListener listener) {
        return decodeTo(latents, 0, path, quality, FrameSink.NONE, listener);
    }

    /**
     * Decodes latents into a file; see {@link SanaVideo#generateTo}. What was decoded has no
     * recipe.
     *
     * @param fps frames a second; 0 for the model's own
     * @param witness sees the frames as well
     */
    public Generated decodeTo(
            Latents latents,
            double fps,
            Path path,
            Quality quality,
            FrameSink witness,
            ProgressListener listener) {
        return calls.run(
                () -> {
                    ClipFormat format = codec.format(latents, orOwn(fps));
                    long start = System.nanoTime();
                    try (FileSink file =
                            FileSink.open(new ClipFile(path, quality, false), format)) {
                        FrameSink both =
                                new FrameSink() {
                                    @Override
                                    public void begin(ClipFormat clip) {
                                        witness.begin(clip);
                                    }

                                    @Override
                                    public void accept(Frame frame) {
                                        file.accept(frame);
                                        witness.accept(frame);
                                    }
                                };
                        String hash =
                                codec.decode(
                                        latents,
                                        format.fps(),
                                        both,
                                        calls::throwIfCancelled,
                                        listener);
                        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
                        return file.finish(
                                new Generated(format, 0, elapsed, hash, "", List.of(), latents),
                                listener);
                    }
                });
    }

    private double orOwn(double fps) {
        return fps == 0 ? codec.fps() : fps;
    }

    /** Cancels the call that runs now, if one does; may be called from any thread. */
    public void cancel() {
        calls.cancel();
    }

    /** Cancels what runs or waits, and frees the VAE. */
    @Override
    public void close() {
        calls.close();
        codec.close();
    }
}
