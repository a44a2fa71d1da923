package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The blocks of the Wan VAE with their buffers, as a stream runs them: a frame at a time. Both
 * sides of the VAE are causal, so a frame goes through them alone as soon as it is there, and a
 * convolution over time keeps its last input frames.
 */
final class WanVaeBlocks implements AutoCloseable {
    private final Ops ops;
    private final DType compute;
    private final Scope scope;

    WanVaeBlocks(Context context, DType compute) {
        this.compute = compute;
        ops = context.ops();
        scope = new Scope(context);
    }

    /** One frame of the compute dtype, [1, height, width, channels]. */
    Tensor frame(long height, long width, long channels) {
        return tensor(1, height, width, channels);
    }

    /** A tensor of the compute dtype. */
    Tensor tensor(long... shape) {
        return scope.tensor(compute, shape);
    }

    /** An f32 tensor. */
    Tensor floats(long... shape) {
        return scope.tensor(DType.F32, shape);
    }

    /** One number a channel, f32. */
    Tensor channels(float[] values) {
        Tensor tensor = floats(values.length);
        tensor.upload(values);
        return tensor;
    }

    /** The newest frames of a stream. */
    NewestFrames window(long height, long width, long channels) {
        return new NewestFrames(scope, compute, height, width, channels);
    }

    /** A residual block. Where it has no shortcut {@code in} and {@code out} are the same. */
    ResidualBlock residual(WanVaeLayers.Residual weights, Tensor in, Tensor out) {
        return new ResidualBlock(weights, in, out);
    }

    /** Residual blocks one after the other, the first from {@code in} to {@code out}. */
    List<ResidualBlock> residuals(List<WanVaeLayers.Residual> weights, Tensor in, Tensor out) {
        List<ResidualBlock> blocks = new ArrayList<>();
        for (WanVaeLayers.Residual residual : weights) {
            blocks.add(residual(residual, blocks.isEmpty() ? in : out, out));
        }
        return blocks;
    }

    /** The middle block, which changes a frame. */
    MiddleBlock middle(WanVaeLayers.Middle weights, Tensor frame) {
        return new MiddleBlock(weights, frame);
    }

    /** The last layers, from {@code in} to {@code out}. */
    HeadBlock head(WanVaeLayers.Head weights, Tensor in, Tensor out) {
        return new HeadBlock(weights, in, out);
    }

    /** Convolves the frames of a window to one frame; the next can be written to it then. */
    void convolve(NewestFrames window, WanVaeLayers.Layer layer, Tensor residual, Tensor out) {
        Epilogue epilogue = Epilogue.bias(layer.bias()).residual(residual);
        ops.convolution(window.frames, layer.weight(), epilogue, out);
        window.advance();
    }

    /** A layer without a kernel. */
    void multiply(Tensor in, WanVaeLayers.Layer layer, Tensor residual, Tensor out) {
        Epilogue epilogue = Epilogue.bias(layer.bias()).residual(residual);
        ops.linear(in, layer.weight(), epilogue, out);
    }

    @Override
    public void close() {
        scope.close();
    }

    /** A residual block on frames of one size. */
    final class ResidualBlock {
        private final WanVaeLayers.Residual weights;
        private final Tensor in;
        private final Tensor out;
        private final NewestFrames conv1;
        private final NewestFrames conv2;

        private ResidualBlock(WanVaeLayers.Residual weights, Tensor in, Tensor out) {
            this.weights = weights;
            this.in = in;
            this.out = out;
            conv1 = window(in.size(1), in.size(2), in.size(3));
            conv2 = window(out.size(1), out.size(2), out.size(3));
        }

        void run() {
            ops.channelNorm(in, weights.norm1(), true, conv1.newest);
            convolve(conv1, weights.conv1(), null, conv2.newest);
            ops.channelNorm(conv2.newest, weights.norm2(), true, conv2.newest);
            if (weights.shortcut() != null) {
                multiply(in, weights.shortcut(), null, out);
            }
            convolve(conv2, weights.conv2(), out, out);
        }
    }

    /** Two residual blocks, and between them attention inside the frame, added to it. */
    final class MiddleBlock {
        private final WanVaeLayers.Attention weights;
        private final Tensor frame;
        private final ResidualBlock first;
        private final ResidualBlock last;
        private final Tensor normed;
        private final Tensor attended;
        private final Tensor qkv;
        private final Tensor qkvParts;

        private MiddleBlock(WanVaeLayers.Middle middle, Tensor frame) {
            this.frame = frame;
            weights = middle.attention();
            first = residual(middle.first(), frame, frame);
            last = residual(middle.last(), frame, frame);
            long pixels = frame.size(1) * frame.size(2);
            long channels = frame.size(3);
            normed = tensor(frame.shape());
            attended = normed.reshape(1, pixels, channels);
            qkv = tensor(1, pixels, 3 * channels);
            qkvParts = qkv.reshape(1, pixels, 3, channels);
        }

        void run() {
            first.run();
            ops.channelNorm(frame, weights.norm(), false, normed);
            multiply(normed, weights.qkv(), null, qkv);
            ops.frameAttention(qkvParts, attended);
            multiply(normed, weights.out(), frame, frame);
            last.run();
        }
    }

    /** Norm, SiLU and convolution. */
    final class HeadBlock {
        private final WanVaeLayers.Head weights;
        private final Tensor in;
        private final Tensor out;
        private final NewestFrames window;

        private HeadBlock(WanVaeLayers.Head weights, Tensor in, Tensor out) {
            this.weights = weights;
            this.in = in;
            this.out = out;
            window = window(in.size(1), in.size(2), in.size(3));
        }

        void run() {
            ops.channelNorm(in, weights.norm(), true, window.newest);
            convolve(window, weights.convolution(), null, out);
        }
    }
}
