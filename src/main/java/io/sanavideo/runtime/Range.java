package io.sanavideo.runtime;

import io.sanavideo.binding.SanaVideoAbi;

/**
 * A named stretch of time in a profiler's timeline, from {@link Context#range} to {@link #close()}.
 * There are ranges on a card, when the environment has {@code SANA_NVTX=1}.
 */
public final class Range implements AutoCloseable {
    static final boolean ASKED_FOR = "1".equals(System.getenv("SANA_NVTX"));

    private static final Range NONE = new Range(null);

    private final Context context;

    private Range(Context context) {
        this.context = context;
    }

    static Range begin(Context context, String name) {
        if (!ASKED_FOR) {
            return NONE;
        }
        Native.check(SanaVideoAbi.sv_range_begin(context.handle(), name), "range");
        return new Range(context);
    }

    @Override
    public void close() {
        if (context != null) {
            Native.check(SanaVideoAbi.sv_range_end(context.handle()), "range");
        }
    }
}
