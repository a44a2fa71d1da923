package io.sanavideo.runtime;

import io.sanavideo.binding.RecordingHandle;
import io.sanavideo.binding.SanaVideoAbi;

/**
 * Ops to be repeated, made by {@link Context#record}. Freed by {@link #close()} or with its
 * context.
 */
public final class Recording implements Context.Resource {
    private final Context context;
    private final Runnable body;
    private RecordingHandle handle;

    /** On a device that records nothing: the ops are called anew each time. */
    Recording(Context context, Runnable body) {
        this.context = context;
        this.body = body;
        context.own(this);
    }

    private Recording(Context context, RecordingHandle handle) {
        this.context = context;
        this.body = null;
        this.handle = handle;
        context.own(this);
    }

    static Recording of(Context context, Runnable body) {
        Native.check(SanaVideoAbi.sv_recording_begin(context.handle()), "recording");
        RecordingHandle handle = new RecordingHandle();
        try {
            body.run();
        } catch (Throwable e) {
            // The recording must end in any case; what the op said is what counts.
            if (SanaVideoAbi.sv_recording_end(context.handle(), handle) == SanaVideoAbi.SV_OK) {
                SanaVideoAbi.sv_recording_destroy(context.handle(), handle);
            }
            throw e;
        }
        Native.check(SanaVideoAbi.sv_recording_end(context.handle(), handle), "recording");
        return new Recording(context, handle);
    }

    /** Runs the ops once more. */
    public void play() {
        if (body != null) {
            body.run();
            return;
        }
        if (handle == null) {
            throw new IllegalStateException("this recording is closed");
        }
        Native.check(SanaVideoAbi.sv_recording_play(context.handle(), handle), "recording");
    }

    @Override
    public void close() {
        if (handle != null) {
            SanaVideoAbi.sv_recording_destroy(context.handle(), handle);
            handle = null;
        }
        context.disown(this);
    }
}
