package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.Block;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.List;

/**
 * Trials of the ops of {@code sanavideo/elementwise.h} that move or make rows, and of {@code
 * sanavideo/space_to_depth.h}.
 */
final class LayoutTrials {
    private static final int FRAMES = 3;
    private static final int LATENT = 16;

    private final Sizes sizes;

    private LayoutTrials(Sizes sizes) {
        this.sizes = sizes;
    }

    static List<Trial> of(Sizes sizes, DType dtype) {
        LayoutTrials trials = new LayoutTrials(sizes);
        return List.of(
                trials.patchify(dtype),
                trials.unpatchify(dtype),
                trials.timesteps(dtype),
                trials.modulation(dtype, DenseTrials.GATE_ROWS),
                trials.modulation(dtype, 1),
                trials.embedding(dtype),
                trials.spaceToDepth(dtype),
                trials.depthToSpace(dtype));
    }

    private long[] latent() {
        return pixels(LATENT);
    }

    private long[] tokens() {
        return new long[] {(long) FRAMES * sizes.pixels(), 4 * LATENT};
    }

    private Trial patchify(DType dtype) {
        return new Trial(
                "patchify",
                dtype,
                Trial.text(latent()) + " in 1 x 2 x 2",
                on -> {
                    Tensor in = on.input(F32, latent());
                    Tensor out = on.output(dtype, tokens());
                    on.ops().patchify(in, 1, 2, 2, out);
                    on.same("out", out);
                });
    }

    private Trial unpatchify(DType dtype) {
        return new Trial(
                "unpatchify",
                dtype,
                Trial.text(latent()) + " of 1 x 2 x 2",
                on -> {
                    Tensor in = on.input(dtype, tokens());
                    Tensor out = on.output(F32, latent());
                    on.ops().unpatchify(in, 1, 2, 2, out);
                    on.same("out", out);
                });
    }

    private Trial timesteps(DType dtype) {
        int count = 43;
        return new Trial(
                "timestep_sinusoids",
                dtype,
                Trial.text(count, 256),
                on -> {
                    double[] timesteps = new double[count];
                    float[] drawn = on.numbers(count, 0, 1000);
                    for (int i = 0; i < count; i++) {
                        timesteps[i] = drawn[i];
                    }
                    Tensor out = on.output(dtype, count, 256);
                    on.ops().timestepSinusoids(timesteps, out);
                    on.near("out", out, Bound.sums(dtype, 1));
                });
    }

    /** An embedding of a row for each of the table's, or one for all of them. */
    private Trial modulation(DType dtype, int given) {
        int groups = 5;
        int rows = DenseTrials.GATE_ROWS;
        return new Trial(
                "modulation",
                dtype,
                Trial.text(groups, rows, sizes.width()) + " of %d".formatted(given),
                on -> {
                    Tensor table = on.input(F32, rows, sizes.width());
                    Tensor embedding = on.input(dtype, groups, given, sizes.width());
                    Tensor out = on.output(F32, groups, rows, sizes.width());
                    on.ops().modulation(table, embedding, out);
                    on.same("out", out);
                });
    }

    /** With the means of a residual of three times the channels. */
    private Trial spaceToDepth(DType dtype) {
        Block block = new Block(FRAMES, 2, 2);
        return new Trial(
                "space_to_depth",
                dtype,
                Trial.text(latent()) + " in 3 x 2 x 2, residual",
                on -> {
                    Tensor in = on.input(dtype, latent());
                    Tensor skip = on.input(dtype, pixels(3L * LATENT));
                    Tensor out = on.output(dtype, blocks(block.size() * LATENT));
                    on.ops().spaceToDepth(in, skip, block, out);
                    on.near("out", out, Bound.sums(dtype, 4));
                });
    }

    /** Patches of pixels whose columns come before their rows, with a residual that repeats. */
    private Trial depthToSpace(DType dtype) {
        Block block = new Block(FRAMES, 2, 2, Block.Order.FRAME_COLUMN_ROW);
        return new Trial(
                "depth_to_space",
                dtype,
                Trial.text(latent()) + " of 3 x 2 x 2, columns first, residual",
                on -> {
                    Tensor in = on.input(dtype, blocks(block.size() * LATENT));
                    Tensor skip = on.input(dtype, blocks(block.size() * LATENT / 4));
                    Tensor out = on.output(dtype, latent());
                    on.ops().depthToSpace(in, skip, block, out);
                    on.near("out", out, Bound.sums(dtype, 2));
                });
    }

    private long[] pixels(long channels) {
        return new long[] {FRAMES, 2L * sizes.tall(), 2L * sizes.wide(), channels};
    }

    private long[] blocks(long channels) {
        return new long[] {1, sizes.tall(), sizes.wide(), channels};
    }

    private Trial embedding(DType dtype) {
        int vocabulary = 257;
        int channels = sizes.width() + 64;
        return new Trial(
                "embedding",
                dtype,
                Trial.text(vocabulary, channels) + ", %d ids".formatted(sizes.keys()),
                on -> {
                    Tensor table = on.input(dtype, vocabulary, channels);
                    int[] ids = new int[sizes.keys()];
                    float[] drawn = on.numbers(ids.length, 0, vocabulary);
                    for (int i = 0; i < ids.length; i++) {
                        ids[i] = Math.min((int) drawn[i], vocabulary - 1);
                    }
                    ids[0] = vocabulary - 1;
                    Tensor out = on.output(dtype, ids.length, channels);
                    on.ops().embedding(table, ids, (float) Math.sqrt(channels), out);
                    on.same("out", out);
                });
    }
}
