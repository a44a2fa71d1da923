package io.sanavideo.pipeline;

import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.ProgressListener;
import io.sanavideo.TextToVideo;

/** An engine and its queue, generating clips into nothing. */
record TestRun(Engine engine, CallQueue calls) implements AutoCloseable {
    static TestRun of(Engine engine) {
        return new TestRun(engine, new CallQueue("test", engine::cancel, engine::resume));
    }

    Generated generate(TextToVideo request) {
        return calls.run(
                () -> {
                    Denoised denoised =
                            engine.denoise(engine.settings(request), calls, ProgressListener.NONE);
                    return engine.decode(denoised, FrameSink.NONE, calls, ProgressListener.NONE);
                });
    }

    @Override
    public void close() {
        calls.close();
        engine.close();
    }
}
