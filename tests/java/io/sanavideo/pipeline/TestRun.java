package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.ProgressListener;
import io.sanavideo.TextToVideo;

/** An engine and its queue, generating clips into nothing. */
record TestRun(Engine engine, CallQueue calls) implements AutoCloseable {
    private static final FrameSink NOWHERE =
            new FrameSink() {
                @Override
                public void begin(ClipFormat format) {}

                @Override
                public void accept(Frame frame) {}
            };

    static TestRun of(Engine engine) {
        return new TestRun(engine, new CallQueue("test", engine::cancel, engine::resume));
    }

    Generated generate(TextToVideo request) {
        return calls.run(
                () -> {
                    Denoised denoised =
                            engine.denoise(engine.settings(request), calls, ProgressListener.NONE);
                    return engine.decode(denoised, NOWHERE, calls, ProgressListener.NONE);
                });
    }

    @Override
    public void close() {
        calls.close();
        engine.close();
    }
}
