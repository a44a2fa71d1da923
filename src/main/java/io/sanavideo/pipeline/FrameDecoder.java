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
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;

/** Latents to RGB frames, one latent frame at a time: memory does not grow with the clip. */
final class FrameDecoder {
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
     */
    String decode(
            VaeDecoder vae,
            Latents latents,
            ClipFormat format,
            FrameSink sink,
            Runnable stopIfCancelled,
            ProgressListener listener) {
        Context context = vae.context();
        try (Range phase = context.range("decode");
                Scope scope = new Scope(context);
                DecodingStream stream = vae.stream(latents.height(), latents.width())) {
            Tensor latent =
                    scope.tensor(
                            DType.F32, 1, latents.height(), latents.width(), latents.channels());
            Tensor rgb = scope.tensor(DType.U8, format.height(), format.width(), 3);
            int bytes = Math.toIntExact(rgb.bytes());
            ByteBuffer host = context.isDry() ? null : ByteBuffer.allocateDirect(bytes);
            FrameHash hash = new FrameHash();
            Consumer<Tensor> pictures =
                    new Consumer<>() {
                        private int index;

                        @Override
                        public void accept(Tensor picture) {
                            context.ops().toRgb8(picture, rgb);
                            if (context.isDry()) {
                                return;
                            }
                            rgb.download(host);
                            hash.update(host);
                            sink.accept(
                                    new Frame(
                                            index++,
                                            format.width(),
                                            format.height(),
                                            host.asReadOnlyBuffer()));
                        }
                    };
            sink.begin(format);
            PhaseClock clock = new PhaseClock(listener, Phase.DECODE, latents.frames(), null);
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
                clock.done(i + 1);
            }
            return context.isDry() ? "" : hash.hex();
        }
    }
}
