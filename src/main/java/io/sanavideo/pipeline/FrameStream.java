package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.model.DecodingStream;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.model.VaeDecoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Decodes one clip, or one shot of a film, as its latents come: pictures are handed on as RGB
 * bytes, [height, width, 3], valid during the call. Memory does not grow with the clip. On a dry
 * context there are no pictures.
 */
final class FrameStream implements AutoCloseable {
    private static final int COLOURS = 3;

    private final Context context;
    private final Scope scope;
    private final DecodingStream stream;
    private final Tensor latent;
    private final Consumer<Tensor> pictures;
    private int latentFrames;

    /**
     * @param height latent rows
     * @param width latent columns
     * @param frames takes each picture
     */
    FrameStream(
            VaeDecoder vae, VaeConfig config, int height, int width, Consumer<ByteBuffer> frames) {
        context = vae.context();
        scope = new Scope(context);
        try {
            int factor = config.spatialFactor();
            stream = scope.own(vae.stream(height, width));
            latent = scope.tensor(DType.F32, 1, height, width, config.latentChannels());
            Tensor rgb =
                    scope.tensor(DType.U8, (long) height * factor, (long) width * factor, COLOURS);
            int bytes = Math.toIntExact(rgb.bytes());
            ByteBuffer host = context.isDry() ? null : scope.own(context.lend(bytes)).buffer();
            pictures =
                    picture -> {
                        context.ops().toRgb8(picture, rgb);
                        if (!context.isDry()) {
                            rgb.download(host);
                            frames.accept(host);
                        }
                    };
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    /**
     * Decodes the next latent frames.
     *
     * @param latents of the stream's size
     * @param last whether nothing comes after them
     * @param stopIfCancelled called between latent frames
     * @param done run after each latent frame
     */
    void decode(Latents latents, boolean last, Runnable stopIfCancelled, Runnable done) {
        int size = Math.toIntExact(latent.elements());
        for (int i = 0; i < latents.frames(); i++) {
            stopIfCancelled.run();
            latent.upload(Arrays.copyOfRange(latents.values(), i * size, (i + 1) * size));
            try (Range step = context.range("latent frame " + ++latentFrames)) {
                stream.decode(latent, pictures);
                if (last && i == latents.frames() - 1) {
                    stream.finish(pictures);
                }
            }
            done.run();
        }
    }

    /** How many latent frames back the decoder looks. */
    int reach() {
        return stream.reach();
    }

    /**
     * Takes up a clip in its middle, on a new stream.
     *
     * @param before its latent frames before the next: {@link #reach} of them, or all
     */
    void recall(Latents before) {
        latentFrames = before.frames();
        try (Range range = context.range("recall");
                Tensor frames =
                        context.tensor(
                                DType.F32,
                                before.frames(),
                                before.height(),
                                before.width(),
                                before.channels())) {
            frames.upload(before.values());
            stream.recall(frames);
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}
