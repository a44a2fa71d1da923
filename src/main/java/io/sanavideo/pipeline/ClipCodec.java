package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import io.sanavideo.FrameSink;
import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.StartImage;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.media.ClipReader;
import io.sanavideo.media.PictureColours;
import io.sanavideo.model.EncodingStream;
import io.sanavideo.model.VaeEncoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.HostMemory;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A model's VAE at work alone, on clips and latents: nothing else of the model is loaded. */
public final class ClipCodec implements AutoCloseable {
    private static final int COLOURS = 3;

    private final ModelParts parts;
    private final Context context;
    private final Components components;
    private final FrameDecoder decoder;

    private ClipCodec(ModelParts parts, Device device, Precision precision, Context context) {
        this.parts = parts;
        this.context = context;
        components = new Components(parts, device, precision, context);
        decoder = new FrameDecoder(parts.vae());
    }

    /** See {@link io.sanavideo.LatentCodec#open}. */
    public static ClipCodec open(ModelFolder folder, Device device, Precision precision) {
        ModelParts parts = ModelParts.read(folder);
        Context context = Context.on(device);
        try {
            return new ClipCodec(parts, device, precision, context);
        } catch (Throwable e) {
            context.close();
            throw e;
        }
    }

    /**
     * Encodes a clip; see {@link io.sanavideo.LatentCodec#encode}.
     *
     * @param width pixels; 0 for the clip's own size
     * @param frames how many; 0 for all
     */
    public Latents encode(
            Path clip,
            int width,
            int height,
            int frames,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        try (ClipReader reader = ClipReader.open(clip)) {
            ClipInfo info = reader.info();
            if (info.frames() == 0) {
                throw new ModelFormatException(
                        "the video file %s holds no pictures".formatted(clip));
            }
            ClipFormat format =
                    new ClipFormat(
                            width == 0 ? info.width() : width,
                            width == 0 ? info.height() : height,
                            frames == 0 ? Math.toIntExact(info.frames()) : frames,
                            info.fps());
            requireCanBeEncoded(format, info);
            return components.withVaeEncoder(
                    Residency.IN_TURN,
                    listener,
                    vae -> encode(vae, reader, format, stopIfCancelled, listener));
        }
    }

    /** Encodes an image; see {@link io.sanavideo.LatentCodec#encode}. */
    public Latents encode(StartImage image, int width, int height, ProgressListener listener) {
        limits().requireSize(width, height);
        ClipFormat format = new ClipFormat(width, height, 1, fps());
        return components.withVaeEncoder(
                Residency.IN_TURN, listener, vae -> ImageEncoder.encode(vae, image, format));
    }

    /** A VAE takes any size and length. */
    private ModelLimits limits() {
        int factor = parts.vae().spatialFactor();
        return new ModelLimits(
                factor,
                factor,
                parts.vae().temporalFactor(),
                Integer.MAX_VALUE,
                Integer.MAX_VALUE,
                TrainedSizes.UNKNOWN);
    }

    private void requireCanBeEncoded(ClipFormat format, ClipInfo info) {
        limits().requireSize(format.width(), format.height());
        limits().requireFrames(format.frames());
        if (format.frames() > info.frames()) {
            throw new IllegalArgumentException(
                    "%d frames were asked for, but the clip has %d"
                            .formatted(format.frames(), info.frames()));
        }
    }

    private Latents encode(
            VaeEncoder vae,
            ClipReader reader,
            ClipFormat format,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        int rows = format.height() / parts.vae().spatialFactor();
        int columns = format.width() / parts.vae().spatialFactor();
        int channels = parts.vae().latentChannels();
        int latentFrames = (format.frames() - 1) / parts.vae().temporalFactor() + 1;
        int size = Math.multiplyExact(Math.multiplyExact(rows, columns), channels);
        float[] values = new float[Math.multiplyExact(size, latentFrames)];
        Consumer<Tensor> latents =
                new Consumer<>() {
                    private int index;

                    @Override
                    public void accept(Tensor latent) {
                        System.arraycopy(latent.toFloats(), 0, values, size * index++, size);
                    }
                };
        try (Range phase = context.range("encode");
                Scope scope = new Scope(context);
                EncodingStream stream = vae.stream(format.height(), format.width())) {
            Pictures pictures = new Pictures(scope, vae.compute(), reader, format);
            PhaseClock clock = new PhaseClock(listener, Phase.ENCODE, format.frames(), null);
            for (int i = 0; i < format.frames(); i++) {
                stopIfCancelled.run();
                stream.encode(pictures.next(), latents);
                clock.done(i + 1);
            }
            stream.finish(latents);
        }
        return new Latents(latentFrames, rows, columns, channels, values);
    }

    /** A clip's frames on the device, at the size that is asked for. */
    private final class Pictures {
        private final ClipReader reader;
        private final ClipFormat format;
        private final ByteBuffer host;
        private final Tensor bytes;
        private final Tensor picture;

        Pictures(Scope scope, DType compute, ClipReader reader, ClipFormat format) {
            this.reader = reader;
            this.format = format;
            ClipInfo info = reader.info();
            host = scope.own(new HostMemory(info.width() * info.height() * COLOURS)).buffer();
            bytes = scope.tensor(DType.U8, info.height(), info.width(), COLOURS);
            picture = scope.tensor(compute, format.height(), format.width(), COLOURS);
        }

        Tensor next() {
            if (!reader.read(host)) {
                throw new ModelFormatException(
                        "the video file %s ends before its %d frames"
                                .formatted(reader.path(), reader.info().frames()));
            }
            int width = reader.info().width();
            int height = reader.info().height();
            if (width == format.width() && height == format.height()) {
                bytes.upload(host);
                context.ops().fromRgb8(bytes, picture);
            } else {
                StartImage image = StartImage.of8Bits(width, height, host);
                picture.upload(PictureColours.covering(image, format.width(), format.height()));
            }
            return picture;
        }
    }

    /** Decodes latents; see {@link io.sanavideo.LatentCodec#decode}. */
    public String decode(
            Latents latents,
            double fps,
            FrameSink sink,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        return decoder.decode(
                components.vae.get(listener),
                latents,
                format(latents, fps),
                parts.tile(),
                sink,
                stopIfCancelled,
                listener);
    }

    /** What latents decode to. */
    public ClipFormat format(Latents latents, double fps) {
        return decoder.format(latents, fps);
    }

    /** The model's own frames a second. */
    public double fps() {
        return parts.defaults().fps();
    }

    /** Makes the native work of the running call end soon. */
    public void cancel() {
        context.cancel();
    }

    /** Lets native work run again. */
    public void resume() {
        context.resume();
    }

    @Override
    public void close() {
        context.close();
    }
}
