package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Padding;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.List;

/** Trials of {@code sanavideo/convolution.h}. */
final class ConvolutionTrials {
    private final Sizes sizes;

    private ConvolutionTrials(Sizes sizes) {
        this.sizes = sizes;
    }

    static List<Trial> of(Sizes sizes, DType dtype) {
        ConvolutionTrials trials = new ConvolutionTrials(sizes);
        return List.of(
                trials.depthwise(dtype),
                trials.temporal(dtype),
                trials.dense(dtype, Padding.ZEROS),
                trials.dense(dtype, Padding.REFLECT),
                trials.upsample(dtype),
                trials.downsample(dtype),
                trials.interleave(dtype));
    }

    private Trial depthwise(DType dtype) {
        int frames = 2;
        int hidden = sizes.hidden();
        return new Trial(
                "depthwise_gate",
                dtype,
                Trial.text(frames, sizes.tall(), sizes.wide(), hidden),
                on -> {
                    Tensor in = on.input(dtype, frames, sizes.tall(), sizes.wide(), 2L * hidden);
                    Weight weight = on.weight(WeightKind.DEPTHWISE, dtype, 9, 2L * hidden, 1, 3, 3);
                    Tensor bias = on.input(F32, 2L * hidden);
                    Tensor out = on.output(dtype, frames, sizes.tall(), sizes.wide(), hidden);
                    on.ops().depthwiseGate(in, weight, bias, out);
                    on.near("out", out, Bound.sums(dtype, 9));
                });
    }

    /** Two clips after a frame each, every frame gated into a residual. */
    private Trial temporal(DType dtype) {
        int clips = 2;
        int frames = 2;
        int width = sizes.width();
        return new Trial(
                "temporal_convolution",
                dtype,
                Trial.text(clips, frames, sizes.pixels(), width) + ", previous, gates, residual",
                on -> {
                    Tensor in = on.input(dtype, clips, frames, sizes.pixels(), width);
                    Tensor previous = on.input(dtype, clips, sizes.pixels(), width);
                    Weight weight =
                            on.weight(WeightKind.TEMPORAL, dtype, 3L * width, width, width, 3);
                    Tensor gate = on.input(F32, clips * frames, DenseTrials.GATE_ROWS, width);
                    Tensor residual = on.input(dtype, clips, frames, sizes.pixels(), width);
                    Tensor out = on.output(dtype, clips, frames, sizes.pixels(), width);
                    Epilogue epilogue =
                            Epilogue.NONE.gate(gate, DenseTrials.GATE_ROW).residual(residual);
                    on.ops().temporalConvolution(in, previous, weight, epilogue, out);
                    on.near("out", out, Bound.sums(dtype, 3L * width));
                });
    }

    private Trial dense(DType dtype, Padding padding) {
        int frames = 2;
        int channels = sizes.channels();
        return new Trial(
                "convolution",
                dtype,
                "3x3x3 of %s, bias, residual%s"
                        .formatted(
                                Trial.text(frames, sizes.tall(), sizes.wide(), channels),
                                padding == Padding.REFLECT ? ", reflect" : ""),
                on -> {
                    Tensor in = on.input(dtype, frames + 2, sizes.tall(), sizes.wide(), channels);
                    Weight weight =
                            on.weight(
                                    WeightKind.CONVOLUTION,
                                    dtype,
                                    27L * channels,
                                    channels,
                                    channels,
                                    3,
                                    3,
                                    3);
                    Tensor bias = on.input(F32, channels);
                    Tensor residual = on.input(dtype, frames, sizes.tall(), sizes.wide(), channels);
                    Tensor out = on.output(dtype, frames, sizes.tall(), sizes.wide(), channels);
                    Epilogue added = Epilogue.bias(bias).residual(residual);
                    on.ops().convolution(in, weight, padding, added, out);
                    on.near("out", out, Bound.sums(dtype, 27L * channels));
                });
    }

    private Trial upsample(DType dtype) {
        int channels = sizes.channels();
        int outs = channels / 2;
        return new Trial(
                "upsample_convolution",
                dtype,
                Trial.text(1, sizes.tall(), sizes.wide(), channels) + " -> %d".formatted(outs),
                on -> {
                    Tensor in = on.input(dtype, 1, sizes.tall(), sizes.wide(), channels);
                    Weight weight =
                            on.weight(
                                    WeightKind.UPSAMPLE,
                                    dtype,
                                    9L * channels,
                                    outs,
                                    channels,
                                    3,
                                    3);
                    Tensor bias = on.input(F32, outs);
                    Tensor out = on.output(dtype, 1, 2L * sizes.tall(), 2L * sizes.wide(), outs);
                    on.ops().upsampleConvolution(in, weight, bias, out);
                    on.near("out", out, Bound.sums(dtype, 9L * channels));
                });
    }

    /** An even height and an odd width. */
    private Trial downsample(DType dtype) {
        int channels = sizes.channels();
        int height = 2 * sizes.tall();
        int width = 2 * sizes.wide() + 1;
        return new Trial(
                "downsample_convolution",
                dtype,
                Trial.text(1, height, width, channels) + " -> %d".formatted(channels),
                on -> {
                    Tensor in = on.input(dtype, 1, height, width, channels);
                    Weight weight =
                            on.weight(
                                    WeightKind.CONVOLUTION,
                                    dtype,
                                    9L * channels,
                                    channels,
                                    channels,
                                    1,
                                    3,
                                    3);
                    Tensor bias = on.input(F32, channels);
                    Tensor out = on.output(dtype, 1, sizes.tall(), sizes.wide(), channels);
                    on.ops().downsampleConvolution(in, weight, bias, out);
                    on.near("out", out, Bound.sums(dtype, 9L * channels));
                });
    }

    private Trial interleave(DType dtype) {
        return new Trial(
                "interleave_frames",
                dtype,
                Trial.text(3, sizes.pixels(), 2L * sizes.channels()),
                on -> {
                    Tensor in = on.input(dtype, 3, sizes.pixels(), 2L * sizes.channels());
                    Tensor out = on.output(dtype, 6, sizes.pixels(), sizes.channels());
                    on.ops().interleaveFrames(in, out);
                    on.same("out", out);
                });
    }
}
