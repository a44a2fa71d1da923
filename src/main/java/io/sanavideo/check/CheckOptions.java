package io.sanavideo.check;

import io.sanavideo.Device;
import io.sanavideo.Precision;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;

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

    /** On a card sums are taken in another order than in the reference. */
    private static final double CUDA_F32_BOUND = 1e-4;

    private static final double BF16_BOUND = 2e-2;

    /** What components compute in. */
    public DType compute() {
        return DType.of(precision, device);
    }

    /** The relative L2 error that an output of a component must stay below. */
    double bound() {
        if (compute() == DType.BF16) {
            return BF16_BOUND;
        }
        return device.kind() == Device.Kind.CPU ? F32_BOUND : CUDA_F32_BOUND;
    }

    /** A new context on the device. */
    Context context() {
        return Context.on(device);
    }
}
