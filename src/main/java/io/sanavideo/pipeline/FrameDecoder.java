package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Latents;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.media.FrameHash;
import io.sanavideo.model.DecodingStream;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.model.VaeDecoder;
import io.sanavideo.pipeline.Tiling.Tile;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** Latents to RGB frames, one latent frame at a time: memory does not grow with the clip. */
final class FrameDecoder {
    private static final int COLOURS = 3;

    private final VaeConfig config;

    FrameDecoder(VaeConfig config) {
        this.config = config;
    }

    /** What latents decode to. */
    ClipFormat format(Latents latents, double fps) {
        if (latents.channels() != config.latentChannels()) {
            throw new IllegalArgumentException(
                    "the latents have %d channels, expected the VAE's %d"
                            .formatted(latents.channels(), config.latentChannels()));
        }
        return new ClipFormat(
                latents.width() * config.spatialFactor(),
                latents.height() * config.spatialFactor(),
                (latents.frames() - 1) * config.temporalFactor() + 1,
                fps);
    }

    /**
     * Hands each frame to the sink; returns the hash chain over them. On a dry context there are no
     * frames to hand on.
     *
     * @param tile rows and columns of the latent that are decoded at a time; 0 for all
     */
    String decode(
            VaeDecoder vae,
            Latents latents,
            ClipFormat format,
            int tile,
            FrameSink sink,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        Context context = vae.context();
        FrameHash hash = new FrameHash();
        sink.begin(format);
        Consumer<ByteBuffer> frames =
                new Consumer<>() {
                    private int index;

                    @Override
                    public void accept(ByteBuffer rgb) {
                        hash.update(rgb);
                        ByteBuffer seen = rgb.asReadOnlyBuffer();
                        sink.accept(new Frame(index++, format.width(), format.height(), seen));
                    }
                };
        try (Range phase = context.range("decode")) {
            if (tile == 0 || tile >= Math.max(latents.height(), latents.width())) {
                PhaseClock clock = new PhaseClock(listener, Phase.DECODE, latents.frames(), null);
                decodeClip(vae, latents, stopIfCancelled, clock, 0, frames);
            } else {
                Tiling tiling = Tiling.of(latents.height(), latents.width(), tile);
                decodeTiles(vae, latents, format, tiling, stopIfCancelled, listener, frames);
            }
        }
        return context.isDry() ? "" : hash.hex();
    }

    /** Tile by tile, each with the buffers that the one before has left. */
    private void decodeTiles(
            VaeDecoder vae,
            Latents latents,
            ClipFormat format,
            Tiling tiling,
            Runnable stopIfCancelled,
            ProgressListener listener,
            Consumer<ByteBuffer> frames) {
        List<Tile> tiles = tiling.tiles();
        long steps = (long) tiles.size() * latents.frames();
        PhaseClock clock = new PhaseClock(listener, Phase.DECODE, steps, null);
        if (vae.context().isDry()) {
            Latents one = tiling.cut(latents, tiles.get(0));
            decodeClip(vae, one, stopIfCancelled, clock, 0, frames);
            return;
        }
        try (TiledFrames parts = new TiledFrames(tiling, config.spatialFactor(), format.frames())) {
            for (int i = 0; i < tiles.size(); i++) {
                Latents cut = tiling.cut(latents, tiles.get(i));
                decodeClip(
                        vae, cut, stopIfCancelled, clock, (long) i * latents.frames(), parts::add);
            }
            ByteBuffer frame =
                    ByteBuffer.allocateDirect(format.width() * format.height() * COLOURS);
            for (int i = 0; i < format.frames(); i++) {
                stopIfCancelled.run();
                parts.join(i, frame);
                frames.accept(frame);
            }
        }
    }

    /**
     * A clip, or one of its tiles.
     *
     * @param done steps of the clock that were done before
     */
    private void decodeClip(
            VaeDecoder vae,
            Latents latents,
            Runnable stopIfCancelled,
            PhaseClock clock,
            long done,
            Consumer<ByteBuffer> frames) {
        Context context = vae.context();
        int height = latents.height();
        int width = latents.width();
        int factor = config.spatialFactor();
        try (Scope scope = new Scope(context);
                DecodingStream stream = vae.stream(height, width)) {
            Tensor latent = scope.tensor(DType.F32, 1, height, width, latents.channels());
            Tensor rgb =
                    scope.tensor(DType.U8, (long) height * factor, (long) width * factor, COLOURS);
            int bytes = Math.toIntExact(rgb.bytes());
            ByteBuffer host = context.isDry() ? null : ByteBuffer.allocateDirect(bytes);
            Consumer<Tensor> pictures =
                    picture -> {
                        context.ops().toRgb8(picture, rgb);
                        if (!context.isDry()) {
                            rgb.download(host);
                            frames.accept(host);
                        }
                    };
            int size = Math.toIntExact(latent.elements());
            for (int i = 0; i < latents.frames(); i++) {
                stopIfCancelled.run();
                latent.upload(Arrays.copyOfRange(latents.values(), i * size, (i + 1) * size));
                try (Range step = context.range("latent frame " + (i + 1))) {
                    stream.decode(latent, pictures);
                    if (i == latents.frames() - 1) {
                        stream.finish(pictures);
                    }
                }
                clock.done(done + i + 1);
            }
        }
    }
}
