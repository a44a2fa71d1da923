package io.sanavideo.runtime;

import io.sanavideo.binding.SanaVideoAbi;

/** Failures on demand: the n-th event of a kind on a context fails, once. */
public enum Faults {
    ALLOCATION(SanaVideoAbi.SV_FAULT_ALLOCATION),
    OP(SanaVideoAbi.SV_FAULT_OP),
    LAUNCH(SanaVideoAbi.SV_FAULT_LAUNCH),
    COPY(SanaVideoAbi.SV_FAULT_COPY);

    private final int code;

    Faults(int code) {
        this.code = code;
    }

    /** Arms the fault. */
    public void next(Context context, long n) {
        Native.check(SanaVideoAbi.sv_fail_next(context.handle(), code, n));
    }

    /** Nothing fails any more. */
    public static void none(Context context) {
        Native.check(SanaVideoAbi.sv_fail_next(context.handle(), SanaVideoAbi.SV_FAULT_NONE, 1));
    }
}
