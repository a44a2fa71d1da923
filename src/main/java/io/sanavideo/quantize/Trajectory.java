package io.sanavideo.quantize;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Progress;
import io.sanavideo.ProgressListener;
import io.sanavideo.Receipt;
import io.sanavideo.TextToVideo;
import io.sanavideo.model.Comparison;
import io.sanavideo.model.Observer;
import io.sanavideo.pipeline.CallQueue;
import io.sanavideo.pipeline.Denoised;
import io.sanavideo.pipeline.Engine;
import io.sanavideo.pipeline.Settings;
import java.util.ArrayList;
import java.util.List;

/** The way of a clip: its latents after each step, and its frames. */
final class Trajectory {
    private final List<float[]> latents = new ArrayList<>();
    private final List<byte[]> frames = new ArrayList<>();
    private ClipFormat format;

    private Trajectory() {}

    /**
     * Makes a clip.
     *
     * @param observer of the transformer; null for none
     */
    static Trajectory of(
            Engine engine,
            TextToVideo clip,
            CallQueue calls,
            ProgressListener listener,
            Observer observer) {
        Trajectory trajectory = new Trajectory();
        Settings settings = engine.settings(clip);
        Denoised denoised =
                engine.denoise(
                        settings,
                        calls,
                        progress -> {
                            listener.onProgress(progress);
                            if (progress.phase() == Progress.Phase.DENOISE && progress.step() > 0) {
                                trajectory.latents.add(progress.latents().values());
                            }
                        },
                        observer);
        engine.decode(denoised, trajectory.sink(), calls, listener);
        return trajectory;
    }

    private FrameSink sink() {
        return new FrameSink() {
            @Override
            public void begin(ClipFormat clipFormat) {
                format = clipFormat;
            }

            @Override
            public void accept(Frame frame) {
                frames.add(frame.toBytes());
            }
        };
    }

    /** How far another clip of the same noise is from this one. */
    Receipt.Check check(TextToVideo clip, Trajectory other) {
        List<Double> errors = new ArrayList<>();
        for (int i = 0; i < latents.size(); i++) {
            errors.add(Comparison.of("latents", other.latents.get(i), latents.get(i)).relativeL2());
        }
        FrameDifference difference = FrameDifference.of(frames, other.frames, format);
        return new Receipt.Check(
                clip.prompt(), clip.seed(), errors, difference.psnr(), difference.ssim());
    }
}
