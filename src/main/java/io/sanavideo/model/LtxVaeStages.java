package io.sanavideo.model;

import io.sanavideo.model.LtxVaeLayers.Convolution;
import io.sanavideo.model.LtxVaeLayers.Level;
import io.sanavideo.model.LtxVaeLayers.Residual;
import io.sanavideo.runtime.Block;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Padding;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Builds one side of an LTX-2 VAE as stages of frames, with their buffers. Frames are [1, height,
 * width, channels] of the compute dtype.
 *
 * <p>A stage keeps its last three input frames for each convolution, and where it looks ahead those
 * that its residual waits for.
 */
final class LtxVaeStages {
    /** Of the norms, which have no weights (diffusers, PerChannelRMSNorm). */
    private static final float EPSILON = 1e-8f;

    private final Scope scope;
    private final Ops ops;
    private final DType compute;
    private final boolean causal;
    private final Padding padding;
    private final FrameChain chain = new FrameChain();
    private long height;
    private long width;
    private long channels;

    /** Of frames of a size, whose channels the first stage makes. */
    LtxVaeStages(
            Context context,
            Scope scope,
            DType compute,
            LtxVaeConfig.Side side,
            long height,
            long width) {
        this.scope = scope;
        ops = context.ops();
        this.compute = compute;
        causal = side.causal();
        padding = side.padding();
        this.height = height;
        this.width = width;
    }

    FrameChain chain() {
        return chain;
    }

    private Tensor frames(long count, long depth) {
        return scope.tensor(compute, count, height, width, depth);
    }

    private FrameWindow window(long depth) {
        return new FrameWindow(scope, compute, causal, height, width, depth);
    }

    private void convolve(FrameWindow in, Convolution layer, Tensor residual, Tensor out) {
        Epilogue epilogue = Epilogue.bias(layer.bias()).residual(residual);
        ops.convolution(in.frames, layer.weight(), padding, epilogue, out);
    }

    private void norm(Tensor in, Tensor out) {
        ops.pixelNorm(in, EPSILON, true, out);
    }

    /**
     * A convolution.
     *
     * @param depth channels that it reads
     * @param prepare makes them of a frame that comes in
     */
    LtxVaeStages convolution(Convolution layer, long depth, BiConsumer<Tensor, Tensor> prepare) {
        FrameWindow in = window(depth);
        channels = layer.channels();
        Tensor out = frames(1, channels);
        chain.add(
                new FrameChain.Stage() {
                    @Override
                    public void push(Tensor frame, Consumer<Tensor> next) {
                        prepare.accept(frame, in.newest);
                        if (in.push()) {
                            make(next);
                        }
                    }

                    private void make(Consumer<Tensor> next) {
                        convolve(in, layer, null, out);
                        in.advance();
                        next.accept(out);
                    }

                    @Override
                    public void finish(Consumer<Tensor> next) {
                        if (in.finish()) {
                            make(next);
                        }
                    }

                    @Override
                    public void addTo(TemporalReach reach) {
                        reach.backThroughConvolutions(1);
                    }
                });
        return this;
    }

    /** The last convolution, of what is normed and activated before. */
    LtxVaeStages lastConvolution(Convolution layer) {
        return convolution(layer, channels, this::norm);
    }

    /** What looks at one frame alone: {@code operation} fills {@code out}. */
    LtxVaeStages map(Consumer<Tensor> operation, Tensor out) {
        chain.add(
                (frame, next) -> {
                    operation.accept(frame);
                    next.accept(out);
                });
        return this;
    }

    /** Residual blocks, which share the buffer of their outputs. */
    LtxVaeStages residuals(List<Residual> blocks) {
        Tensor out = frames(1, channels);
        blocks.forEach(block -> chain.add(new ResidualStage(block, out)));
        return this;
    }

    /** A level of the encoder: residual blocks, then fewer pixels. */
    LtxVaeStages down(Level level) {
        residuals(level.residuals());
        chain.add(new Downsampler(level));
        return this;
    }

    /** A level of the decoder: more pixels, then residual blocks. */
    LtxVaeStages up(Level level) {
        chain.add(new Upsampler(level));
        return residuals(level.residuals());
    }

    /** x + convolution(norm(convolution(norm(x)))) */
    private final class ResidualStage implements FrameChain.Stage {
        private final Residual layers;
        private final FrameWindow first = window(channels);
        private final FrameWindow second = window(channels);
        private final FrameDelay inputs = new FrameDelay();
        private final Tensor out;

        ResidualStage(Residual layers, Tensor out) {
            this.layers = layers;
            this.out = out;
        }

        @Override
        public void push(Tensor frame, Consumer<Tensor> next) {
            norm(frame, first.newest);
            inputs.put(frame);
            if (first.push()) {
                convolveFirst(next);
            }
        }

        private void convolveFirst(Consumer<Tensor> next) {
            convolve(first, layers.first(), null, second.newest);
            first.advance();
            norm(second.newest, second.newest);
            if (second.push()) {
                convolveSecond(next);
            }
        }

        private void convolveSecond(Consumer<Tensor> next) {
            convolve(second, layers.second(), inputs.take(), out);
            second.advance();
            next.accept(out);
        }

        @Override
        public void finish(Consumer<Tensor> next) {
            if (first.finish()) {
                convolveFirst(next);
            }
            if (second.finish()) {
                convolveSecond(next);
            }
        }

        @Override
        public void addTo(TemporalReach reach) {
            reach.backThroughConvolutions(2);
        }
    }

    /** Frames that wait while two convolutions look ahead; causal ones take them at once. */
    private final class FrameDelay {
        private static final int WAITING = 3;

        private final Tensor[] held = new Tensor[causal ? 1 : WAITING];
        private int put;
        private int taken;

        FrameDelay() {
            for (int i = 0; i < held.length && !causal; i++) {
                held[i] = frames(1, channels);
            }
        }

        void put(Tensor frame) {
            if (causal) {
                held[0] = frame;
            } else {
                held[put].copyFrom(frame);
                put = (put + 1) % held.length;
            }
        }

        Tensor take() {
            Tensor frame = held[taken];
            taken = (taken + 1) % held.length;
            return frame;
        }
    }

    /** Channels of a convolution to pixels, and the input's channels repeated there. */
    private final class Upsampler implements FrameChain.Stage {
        private final Level level;
        private final Block block;
        private final FrameWindow in = window(channels);
        private final Tensor deep;
        private final Tensor pixels;
        private final Tensor[] made;

        /** The clip's first frame makes fewer: those before the last stand before the clip. */
        private boolean atStart = true;

        Upsampler(Level level) {
            this.level = level;
            block = level.config().block();
            deep = frames(1, level.step().channels());
            height *= block.height();
            width *= block.width();
            channels = level.config().out();
            pixels = frames(block.frames(), channels);
            made = new Tensor[block.frames()];
            for (int i = 0; i < made.length; i++) {
                made[i] = pixels.slice(i, 1);
            }
        }

        @Override
        public void push(Tensor frame, Consumer<Tensor> next) {
            in.newest.copyFrom(frame);
            if (in.push()) {
                spread(next);
            }
        }

        private void spread(Consumer<Tensor> next) {
            convolve(in, level.step(), null, deep);
            ops.depthToSpace(deep, level.config().skips() ? in.current : null, block, pixels);
            in.advance();
            int first = atStart ? made.length - 1 : 0;
            atStart = false;
            for (int i = first; i < made.length; i++) {
                next.accept(made[i]);
            }
        }

        @Override
        public void finish(Consumer<Tensor> next) {
            if (in.finish()) {
                spread(next);
            }
        }

        @Override
        public void addTo(TemporalReach reach) {
            reach.backThroughSteps(made.length);
            reach.backThroughConvolutions(1);
        }
    }

    /** Pixels of a convolution to channels, and means of the input's channels added to them. */
    private final class Downsampler implements FrameChain.Stage {
        private final Level level;
        private final Block block;
        private final FrameWindow in = window(channels);
        private final Tensor reduced;
        private final Tensor inputs;
        private final Tensor[] reducedFrames;
        private final Tensor[] inputFrames;
        private final Tensor out;
        private int gathered;
        private boolean atStart = true;

        Downsampler(Level level) {
            this.level = level;
            block = level.config().block();
            reduced = frames(block.frames(), level.step().channels());
            inputs = frames(block.frames(), channels);
            reducedFrames = new Tensor[block.frames()];
            inputFrames = new Tensor[block.frames()];
            for (int i = 0; i < block.frames(); i++) {
                reducedFrames[i] = reduced.slice(i, 1);
                inputFrames[i] = inputs.slice(i, 1);
            }
            height /= block.height();
            width /= block.width();
            channels = level.config().out();
            out = frames(1, channels);
        }

        @Override
        public void push(Tensor frame, Consumer<Tensor> next) {
            // The first frame is repeated, so that it becomes a frame without later ones.
            int times = atStart ? block.frames() : 1;
            atStart = false;
            for (int i = 0; i < times; i++) {
                in.newest.copyFrom(frame);
                if (in.push()) {
                    gather(next);
                }
            }
        }

        private void gather(Consumer<Tensor> next) {
            convolve(in, level.step(), null, reducedFrames[gathered]);
            inputFrames[gathered].copyFrom(in.current);
            in.advance();
            if (++gathered == block.frames()) {
                gathered = 0;
                ops.spaceToDepth(reduced, inputs, block, out);
                next.accept(out);
            }
        }

        @Override
        public void finish(Consumer<Tensor> next) {
            if (in.finish()) {
                gather(next);
            }
        }
    }
}
