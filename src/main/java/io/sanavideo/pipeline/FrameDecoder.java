package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.FrameSink;
import io.sanavideo.Latents;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.model.VaeDecoder;
import io.sanavideo.pipeline.Tiling.Tile;
import io.sanavideo.runtime.LentBuffer;
import io.sanavideo.runtime.Range;
import java.nio.ByteBuffer;
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
        HashedFrames frames = new HashedFrames(format, sink);
        try (Range phase = vae.context().range("decode")) {
            if (tile == 0 || tile >= Math.max(latents.height(), latents.width())) {
                PhaseClock clock = new PhaseClock(listener, Phase.DECODE, latents.frames(), null);
                decodeClip(vae, latents, stopIfCancelled, clock, 0, frames);
            } else {
                Tiling tiling = Tiling.of(latents.height(), latents.width(), tile);
                decodeTiles(vae, latents, format, tiling, stopIfCancelled, listener, frames);
            }
        }
        return frames.hash();
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
        int bytes = format.width() * format.height() * COLOURS;
        try (TiledFrames parts = new TiledFrames(tiling, config.spatialFactor(), format.frames());
                LentBuffer lent = vae.context().lend(bytes)) {
            for (int i = 0; i < tiles.size(); i++) {
                Latents cut = tiling.cut(latents, tiles.get(i));
                decodeClip(
                        vae, cut, stopIfCancelled, clock, (long) i * latents.frames(), parts::add);
            }
            ByteBuffer frame = lent.buffer();
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
        long[] step = {done};
        try (FrameStream stream =
                new FrameStream(vae, config, latents.height(), latents.width(), frames)) {
            stream.decode(latents, true, stopIfCancelled, () -> clock.done(++step[0]));
        }
    }
}
