package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.Block;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pixels of blocks to channels, and back. */
class SpaceToDepthTest extends KernelTest {
    /**
     * Blocks of a clip [frames, height, width], channels of a pixel, and those of a pixel of the
     * residual, or 0.
     */
    record Case(
            DType dtype,
            int frames,
            int height,
            int width,
            Block block,
            int channels,
            int skipped) {
        int blocks() {
            return frames * height * width;
        }

        long[] pixels(int depth) {
            return shape(
                    frames * block.frames(), height * block.height(), width * block.width(), depth);
        }

        long[] deep(int depth) {
            return shape(frames, height, width, depth * block.size());
        }

        /** Where the pixel of a place of a block lies in the clip. */
        int pixel(int index, int place) {
            int inner = place % (block.height() * block.width());
            int i = place / (block.height() * block.width());
            boolean rowsFirst = block.order() == Block.Order.FRAME_ROW_COLUMN;
            int j = rowsFirst ? inner / block.width() : inner % block.height();
            int k = rowsFirst ? inner % block.width() : inner / block.height();
            int t = index / (height * width) * block.frames() + i;
            int y = index / width % height * block.height() + j;
            int x = index % width * block.width() + k;
            return (t * height * block.height() + y) * width * block.width() + x;
        }

        /** Element q of block `index` of the rearranged values, of so many channels a pixel. */
        double gathered(Values values, int depth, int index, int q) {
            return values.at(pixel(index, q % block.size()) * depth + q / block.size());
        }
    }

    /** The last number: 1 where a block's columns come before its rows. */
    private static Stream<Case> cases(int[]... shapes) {
        return cases(
                shapes,
                (d, s) ->
                        new Case(
                                d,
                                s[0],
                                s[1],
                                s[2],
                                new Block(s[3], s[4], s[5], Block.Order.values()[s[8]]),
                                s[6],
                                s[7]));
    }

    static Stream<Case> toDepth() {
        return cases(
                new int[] {1, 1, 1, 1, 1, 1, 1, 0, 0},
                new int[] {1, 3, 5, 1, 4, 4, 3, 0, 1},
                new int[] {2, 3, 4, 2, 2, 2, 7, 0, 0},
                new int[] {3, 2, 3, 1, 2, 2, 64, 128, 0},
                new int[] {1, 5, 7, 2, 1, 1, 16, 16, 0},
                new int[] {2, 2, 3, 2, 2, 2, 5, 15, 0},
                new int[] {1, 3, 3, 2, 3, 1, 4, 12, 1},
                new int[] {2, 13, 11, 2, 2, 2, 9, 9, 0});
    }

    @ParameterizedTest
    @MethodSource("toDepth")
    void gathersPixels(Case c) {
        Values in = gaussian(c.dtype, c.pixels(c.channels));
        Values skip = c.skipped == 0 ? null : gaussian(c.dtype, c.pixels(c.skipped));
        int depth = c.channels * c.block.size();
        int group = c.skipped / c.channels;
        double[] expected = new double[c.blocks() * depth];
        for (int i = 0; i < expected.length; i++) {
            int block = i / depth;
            expected[i] = c.gathered(in, c.channels, block, i % depth);
            double sum = 0;
            for (int q = i % depth * group; q < (i % depth + 1) * group; q++) {
                sum += c.gathered(skip, c.skipped, block, q);
            }
            expected[i] += group == 0 ? 0 : sum / group;
        }
        Tensor x = input(in);
        Tensor s = skip == null ? null : input(skip);
        Values out = run(c.dtype, c.deep(c.channels), y -> ops.spaceToDepth(x, s, c.block, y));
        compare(out, expected, group + 1);
    }

    static Stream<Case> toSpace() {
        return cases(
                new int[] {1, 1, 1, 1, 1, 1, 1, 0, 0},
                new int[] {1, 3, 5, 1, 4, 4, 3, 0, 1},
                new int[] {2, 3, 4, 2, 2, 2, 7, 0, 0},
                new int[] {1, 2, 3, 2, 2, 2, 64, 16, 0},
                new int[] {3, 2, 3, 1, 2, 2, 24, 24, 0},
                new int[] {1, 5, 7, 2, 1, 1, 16, 8, 0},
                new int[] {1, 3, 3, 2, 3, 1, 12, 3, 1},
                new int[] {2, 13, 11, 2, 2, 2, 9, 1, 0});
    }

    @ParameterizedTest
    @MethodSource("toSpace")
    void spreadsChannels(Case c) {
        Values in = gaussian(c.dtype, c.deep(c.channels));
        Values skip = c.skipped == 0 ? null : gaussian(c.dtype, c.deep(c.skipped));
        int depth = c.channels * c.block.size();
        double[] expected = new double[c.blocks() * depth];
        for (int i = 0; i < expected.length; i++) {
            int block = i / depth;
            int channel = i % depth / c.block.size();
            int place = i % c.block.size();
            double value = in.at(i);
            if (skip != null) {
                int repeated = channel % c.skipped * c.block.size() + place;
                value += skip.at(block * c.skipped * c.block.size() + repeated);
            }
            expected[c.pixel(block, place) * c.channels + channel] = value;
        }
        Tensor x = input(in);
        Tensor s = skip == null ? null : input(skip);
        Values out = run(c.dtype, c.pixels(c.channels), y -> ops.depthToSpace(x, s, c.block, y));
        compare(out, expected, skip == null ? 1 : 2);
    }

    /** What is moved alone keeps its bits. */
    private static void compare(Values out, double[] expected, int terms) {
        if (terms == 1) {
            assertSame(out, Values.of(out.dtype(), expected, out.shape()));
        } else {
            assertClose(out, expected, terms);
        }
    }

    private static final Block CUBE = new Block(2, 2, 2);

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfSpaceToDepth() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.spaceToDepth(
                                        given.tensor("in"),
                                        given.tensor("skip"),
                                        CUBE,
                                        given.tensor("out")))
                .needs("in", tensor(F32, 4, 6, 2, 3))
                .allows("skip", tensor(F32, 4, 6, 2, 9))
                .needs("out", tensor(F32, 2, 3, 1, 24))
                .wrong("in", tensor(F32, 6, 2, 3), "in", "[6, 2, 3]", "expected")
                .wrong("in", tensor(F32, 3, 6, 2, 3), "[3, 6, 2, 3]", "2 x 2 x 2", "whole blocks")
                .wrong("in", tensor(F32, 4, 5, 2, 3), "[4, 5, 2, 3]", "whole blocks")
                .wrong("skip", tensor(BF16, 4, 6, 2, 9), "skip", "bf16", "f32")
                .wrong("skip", tensor(F32, 4, 6, 4, 9), "skip", "[4, 6, 4, 9]", "[4, 6, 2")
                .wrong("skip", tensor(F32, 4, 6, 2, 10), "skip has 10 channels", "in's 3")
                .wrong("skip", tensor(F32, 4, 6, 2, 2), "skip has 2 channels", "in's 3")
                .wrong("out", tensor(F32, 2, 3, 1, 12), "out", "[2, 3, 1, 12]", "[2, 3, 1, 24]")
                .wrong("out", tensor(BF16, 2, 3, 1, 24), "out", "bf16", "f32")
                .overlap("out", "in")
                .overlap("out", "skip")
                .wrongCall(
                        "an empty block",
                        (ops, given) ->
                                ops.spaceToDepth(
                                        given.tensor("in"),
                                        null,
                                        new Block(1, 0, 2),
                                        given.tensor("out")),
                        "1 x 0 x 2",
                        "1 to 64 pixels")
                .wrongCall(
                        "a large block",
                        (ops, given) ->
                                ops.spaceToDepth(
                                        given.tensor("in"),
                                        null,
                                        new Block(2, 6, 6),
                                        given.tensor("out")),
                        "2 x 6 x 6",
                        "1 to 64 pixels")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfDepthToSpace() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.depthToSpace(
                                        given.tensor("in"),
                                        given.tensor("skip"),
                                        CUBE,
                                        given.tensor("out")))
                .needs("in", tensor(F32, 2, 3, 1, 48))
                .allows("skip", tensor(F32, 2, 3, 1, 16))
                .needs("out", tensor(F32, 4, 6, 2, 6))
                .wrong("in", tensor(F32, 3, 1, 48), "in", "[3, 1, 48]", "expected")
                .wrong("in", tensor(F32, 2, 3, 1, 44), "in has 44 channels", "the block's 8")
                .wrong("skip", tensor(BF16, 2, 3, 1, 16), "skip", "bf16", "f32")
                .wrong("skip", tensor(F32, 2, 2, 1, 16), "skip", "[2, 2, 1, 16]", "[2, 3, 1")
                .wrong("skip", tensor(F32, 2, 3, 1, 12), "skip has 12 channels", "the block's 8")
                .wrong("skip", tensor(F32, 2, 3, 1, 32), "skip has 32 channels", "in's 48")
                .wrong("out", tensor(F32, 4, 6, 2, 12), "out", "[4, 6, 2, 12]", "[4, 6, 2, 6]")
                .wrong("out", tensor(BF16, 4, 6, 2, 6), "out", "bf16", "f32")
                .overlap("out", "in")
                .overlap("out", "skip")
                .tests();
    }
}
