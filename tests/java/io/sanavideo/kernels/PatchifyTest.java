package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Cutting a latent into patches, and putting one together from them. */
class PatchifyTest extends KernelTest {
    /** Grid of tokens; patch size; channels. */
    record Case(
            DType dtype, int frames, int height, int width, int pt, int ph, int pw, int channels) {
        int tokens() {
            return frames * height * width;
        }

        int patch() {
            return pt * ph * pw;
        }

        long[] latent() {
            return shape(frames * pt, height * ph, width * pw, channels);
        }

        /** Where the element of a token's patch lies in the latent. */
        int latentIndex(int token, int a, int b, int d, int channel) {
            int t = token / (height * width) * pt + a;
            int y = token / width % height * ph + b;
            int x = token % width * pw + d;
            return ((t * height * ph + y) * width * pw + x) * channels + channel;
        }
    }

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1, 1, 1, 1, 1},
            {1, 2, 3, 1, 1, 1, 16},
            {2, 3, 5, 1, 2, 2, 4},
            {3, 1, 7, 2, 1, 3, 5},
            {2, 5, 3, 1, 2, 2, 17},
            {5, 4, 7, 1, 1, 1, 33},
            {1, 3, 2, 3, 2, 4, 3}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3], s[4], s[5], s[6]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void cuts(Case c) {
        Values latent = gaussian(F32, c.latent());
        int columns = c.channels * c.patch();
        double[] expected = new double[c.tokens() * columns];
        for (int i = 0; i < expected.length; i++) {
            int column = i % columns;
            int d = column % c.pw;
            int b = column / c.pw % c.ph;
            int a = column / c.pw / c.ph % c.pt;
            expected[i] = latent.at(c.latentIndex(i / columns, a, b, d, column / c.patch()));
        }
        Tensor x = input(latent);
        long[] shape = shape(c.tokens(), columns);
        Values out = run(c.dtype, shape, y -> ops.patchify(x, c.pt, c.ph, c.pw, y));
        assertSame(out, Values.of(c.dtype, expected, shape));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void putsTogether(Case c) {
        int columns = c.channels * c.patch();
        Values patches = gaussian(c.dtype, c.tokens(), columns);
        double[] expected = new double[c.tokens() * columns];
        for (int i = 0; i < expected.length; i++) {
            int column = i % columns;
            int pixel = column / c.channels;
            int d = pixel % c.pw;
            int b = pixel / c.pw % c.ph;
            int a = pixel / c.pw / c.ph;
            expected[c.latentIndex(i / columns, a, b, d, column % c.channels)] = patches.at(i);
        }
        Tensor x = input(patches);
        Values out = run(F32, c.latent(), y -> ops.unpatchify(x, c.pt, c.ph, c.pw, y));
        assertSame(out, Values.of(F32, expected, c.latent()));
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfPatchify() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.patchify(given.tensor("in"), 1, 2, 2, given.tensor("out")))
                .needs("in", tensor(F32, 3, 4, 6, 5))
                .needs("out", tensor(F32, 18, 20))
                .wrong("in", tensor(F32, 12, 6, 5), "in", "[12, 6, 5]", "expected")
                .wrong("in", tensor(F32, 3, 5, 6, 5), "in", "5", "2")
                .wrong("in", tensor(BF16, 3, 4, 6, 5), "in", "bf16", "f32")
                .wrong("out", tensor(F32, 17, 20), "out", "[17, 20]", "[18, 20]")
                .wrong("out", tensor(F32, 18, 5), "out", "[18, 5]", "[18, 20]")
                .overlap("out", "in")
                .wrongCall(
                        "no patch",
                        (ops, given) ->
                                ops.patchify(given.tensor("in"), 1, 0, 2, given.tensor("out")),
                        "1 x 0 x 2")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfUnpatchify() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.unpatchify(given.tensor("in"), 1, 2, 2, given.tensor("out")))
                .needs("in", tensor(F32, 18, 20))
                .needs("out", tensor(F32, 3, 4, 6, 5))
                .wrong("in", tensor(F32, 18, 2, 10), "in", "[18, 2, 10]", "[18, 20]")
                .wrong("in", tensor(F32, 17, 20), "in", "[17, 20]", "[18, 20]")
                .wrong("in", tensor(F32, 18, 24), "in", "[18, 24]", "[18, 20]")
                .wrong("out", tensor(F32, 3, 4, 7, 5), "out", "7", "2")
                .wrong("out", tensor(F32, 12, 6, 5), "out", "[12, 6, 5]", "expected")
                .wrong("out", tensor(BF16, 3, 4, 6, 5), "out", "bf16", "f32")
                .overlap("out", "in")
                .wrongCall(
                        "no patch",
                        (ops, given) ->
                                ops.unpatchify(given.tensor("in"), 1, 2, -1, given.tensor("out")),
                        "1 x 2 x -1")
                .tests();
    }
}
