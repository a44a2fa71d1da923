package io.sanavideo.check;

import io.sanavideo.Device;
import io.sanavideo.Precision;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Native;

/**
 * How a check is run.
 *
 * @param device where
 * @param precision of weights and activations; AUTO is bf16 where the device multiplies it
 * @param side the side of a VAE to check; null for both
 * @param intermediate whether tensors called {@code mid.*}, and latents before the last step, are
 *     compared as well
 */
public record CheckOptions(Device device, Precision precision, Side side, boolean intermediate) {
    /** The two sides of a VAE. */
    public enum Side {
        DECODE,
        ENCODE
    }

    private static final double F32_BOUND = 2e-5;
    private static final double BF16_BOUND = 2e-2;

    /** What components compute in. */
    public DType compute() {
        return switch (precision) {
            case F32 -> DType.F32;
            case BF16 -> DType.BF16;
            case AUTO -> Native.cpuHasBf16() ? DType.BF16 : DType.F32;
        };
    }

    /** The relative L2 error that an output of a component must stay below. */
    double bound() {
        return compute() == DType.F32 ? F32_BOUND : BF16_BOUND;
    }

    /** A new context on the device. */
    Context context() {
        return Context.cpu(device.threads());
    }
}
