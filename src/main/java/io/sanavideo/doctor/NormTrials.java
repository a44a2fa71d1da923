package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.List;

/** Trials of {@code sanavideo/norm.h}. */
final class NormTrials {
    /** Large enough that leaving it out shows. */
    static final float EPSILON = 0.1f;

    private final Sizes sizes;

    private NormTrials(Sizes sizes) {
        this.sizes = sizes;
    }

    static List<Trial> of(Sizes sizes, DType dtype) {
        NormTrials trials = new NormTrials(sizes);
        return List.of(
                trials.layerNorm(dtype),
                trials.rmsNorm(dtype),
                trials.squareSums(dtype),
                trials.channelNorm(dtype),
                trials.pixelNorm(dtype));
    }

    private Trial layerNorm(DType dtype) {
        return new Trial(
                "layer_norm_modulated",
                dtype,
                Trial.text(sizes.rows(), sizes.width()) + ", %d groups".formatted(Sizes.GROUPS),
                on -> {
                    Tensor in = on.uniform(dtype, -1, 3, sizes.rows(), sizes.width());
                    Tensor modulation = on.input(F32, Sizes.GROUPS, 3, sizes.width());
                    Tensor out = on.output(dtype, sizes.rows(), sizes.width());
                    on.ops().layerNormModulated(in, modulation, 2, 0, EPSILON, out);
                    on.near("out", out, Bound.sums(dtype, sizes.width()));
                });
    }

    /** The second part of three, onto a residual, with Gemma's 1 + weight. */
    private Trial rmsNorm(DType dtype) {
        return new Trial(
                "rms_norm",
                dtype,
                Trial.text(sizes.rows(), 3, sizes.width()) + ", residual",
                on -> {
                    Tensor in = on.input(dtype, sizes.rows(), 3, sizes.width());
                    Tensor weight = on.input(F32, sizes.width());
                    Tensor residual = on.input(dtype, sizes.rows(), sizes.width());
                    Tensor out = on.output(dtype, sizes.rows(), sizes.width());
                    on.ops().rmsNorm(in, 1, weight, 1, EPSILON, residual, out);
                    on.near("out", out, Bound.sums(dtype, sizes.width()));
                });
    }

    private Trial squareSums(DType dtype) {
        return new Trial(
                "row_square_sums",
                dtype,
                Trial.text(sizes.rows(), 3, sizes.width()),
                on -> {
                    Tensor in = on.input(dtype, sizes.rows(), 3, sizes.width());
                    Tensor out = on.output(F32, sizes.rows(), 2);
                    on.ops().rowSquareSums(in, out);
                    on.near("out", out, Bound.sums(F32, sizes.width()));
                });
    }

    private Trial channelNorm(DType dtype) {
        int pixels = 3 * sizes.pixels();
        return new Trial(
                "channel_norm",
                dtype,
                Trial.text(pixels, sizes.channels()) + ", SiLU",
                on -> {
                    Tensor in = on.input(dtype, pixels, sizes.channels());
                    Tensor gamma = on.input(F32, sizes.channels());
                    Tensor out = on.output(dtype, pixels, sizes.channels());
                    on.ops().channelNorm(in, gamma, true, out);
                    on.near("out", out, Bound.sums(dtype, sizes.channels()));
                });
    }

    private Trial pixelNorm(DType dtype) {
        int pixels = 3 * sizes.pixels();
        return new Trial(
                "pixel_norm",
                dtype,
                Trial.text(pixels, sizes.channels()) + ", SiLU",
                on -> {
                    Tensor in = on.input(dtype, pixels, sizes.channels());
                    Tensor out = on.output(dtype, pixels, sizes.channels());
                    on.ops().pixelNorm(in, EPSILON, true, out);
                    on.near("out", out, Bound.sums(dtype, sizes.channels()));
                });
    }
}
