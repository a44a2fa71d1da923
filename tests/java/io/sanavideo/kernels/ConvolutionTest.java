package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.kernels.WrongInputs.weight;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Padding;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ConvolutionTest extends KernelTest {
    /** Output frames, height, width; channels in and out; kernel frames, height, width. */
    record Case(
            DType dtype,
            int frames,
            int height,
            int width,
            int in,
            int out,
            int kt,
            int kh,
            int kw) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1, 1, 1, 1, 1, 1},
            {1, 1, 1, 3, 5, 3, 3, 3},
            {2, 3, 4, 1, 16, 3, 1, 1},
            {1, 5, 7, 16, 17, 1, 3, 3},
            {1, 4, 6, 15, 16, 3, 3, 3},
            {2, 7, 5, 17, 3, 3, 3, 3},
            {3, 6, 1, 33, 31, 3, 1, 1},
            {1, 1, 13, 32, 48, 3, 3, 3},
            {1, 9, 17, 12, 64, 3, 3, 3},
            {4, 8, 8, 16, 16, 3, 3, 3},
            {1, 11, 3, 97, 1, 1, 1, 1},
            {2, 6, 9, 5, 7, 5, 3, 1},
            {1, 5, 5, 4, 6, 1, 5, 7},
            {1, 4, 4, 3, 5, 5, 3, 3},
            {1, 3, 5, 97, 70, 3, 3, 3},
            {2, 11, 23, 6, 5, 1, 3, 3},
            // From 16 channels on the CPU's f32 takes another way: edges of its squares of 2x2
            // pixels, of their blocks, of panels of columns and of chunks of depth.
            {1, 1, 1, 16, 48, 3, 3, 3},
            {2, 5, 7, 16, 1, 3, 3, 3},
            {1, 2, 2, 15, 17, 3, 3, 3},
            {5, 1, 9, 31, 15, 3, 3, 3},
            {7, 8, 1, 23, 33, 3, 3, 3},
            {3, 13, 17, 19, 66, 3, 3, 3},
            {1, 22, 23, 16, 16, 3, 3, 3},
            {61, 3, 2, 16, 5, 3, 3, 3},
            {1, 4, 3, 16, 300, 3, 3, 3},
            {1, 3, 4, 2731, 16, 3, 3, 3},
            {1, 9, 15, 48, 64, 1, 3, 3}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void convolves(Case c) {
        check(c, Finish.NONE);
    }

    static List<Finish> epilogues() {
        List<Finish> allowed = new ArrayList<>(Finish.all(1));
        allowed.removeIf(f -> f.gateGroups() > 0 || f.activation() != Activation.NONE);
        return allowed;
    }

    @ParameterizedTest
    @MethodSource("epilogues")
    void finishes(Finish finish) {
        for (DType dtype : FLOATS) {
            check(new Case(dtype, 2, 5, 6, 7, 19, 3, 3, 3), finish);
            check(new Case(dtype, 2, 5, 7, 20, 69, 3, 3, 3), finish);
            check(new Case(dtype, 2, 5, 6, 16, 32, 1, 1, 1), finish);
        }
    }

    static Stream<Case> reflected() {
        int[][] shapes = {
            {1, 2, 2, 3, 5, 3, 3, 3},
            {2, 2, 7, 16, 16, 3, 3, 3},
            {1, 5, 2, 17, 3, 3, 3, 3},
            {2, 4, 6, 12, 48, 1, 3, 3},
            {1, 3, 4, 4, 6, 1, 5, 7},
            {1, 1, 3, 8, 7, 1, 1, 5},
            {3, 6, 1, 33, 31, 3, 3, 1},
            {2, 11, 23, 6, 5, 3, 3, 3},
            {1, 2, 2, 16, 7, 3, 3, 3},
            {3, 3, 5, 17, 20, 3, 3, 3},
            {2, 14, 19, 32, 66, 3, 3, 3},
            {1, 1, 1, 5, 4, 3, 1, 1}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]));
    }

    @ParameterizedTest
    @MethodSource("reflected")
    void reflects(Case c) {
        check(c, Padding.REFLECT, Finish.NONE);
    }

    /** A clip in pieces is the whole clip, and threads do not matter, to the bit. */
    @ParameterizedTest
    @EnumSource(Padding.class)
    void aFrameIsTheSameInEveryClip(Padding padding) {
        Case c = new Case(F32, 5, 15, 18, 21, 70, 3, 3, 3);
        Values in = gaussian(F32, c.frames + 2, c.height, c.width, c.in);
        Values w = gaussian(F32, c.out, c.in, 3, 3, 3);
        Values whole = convolve(context, padding, in, w, c.frames);
        int pixels = c.height * c.width;
        for (int threads : new int[] {1, 3, 16}) {
            try (Context other = Context.cpu(threads)) {
                assertSame(convolve(other, padding, in, w, c.frames), whole);
                for (int t = 0; t < c.frames; t++) {
                    Values seen = in.part(t * pixels * c.in, 3, c.height, c.width, c.in);
                    Values frame = whole.part(t * pixels * c.out, 1, c.height, c.width, c.out);
                    assertSame(convolve(other, padding, seen, w, 1), frame);
                }
            }
        }
    }

    /** However many pixels are computed together, a NaN shows where it is seen, nowhere else. */
    @Test
    void aNanReachesThePixelsThatSeeIt() {
        int size = 6;
        Values w = gaussian(F32, 16, 16, 3, 3, 3);
        for (int spoilt = 0; spoilt < size * size; spoilt++) {
            Values in = gaussian(F32, 3, size, size, 16);
            in.data()[(size * size + spoilt) * 16 + random.nextInt(16)] = Float.NaN;
            Values out = convolve(context, Padding.ZEROS, in, w, 1);
            for (int i = 0; i < size * size; i++) {
                boolean seen =
                        Math.abs(i / size - spoilt / size) <= 1
                                && Math.abs(i % size - spoilt % size) <= 1;
                assertThat(Float.isNaN(out.data()[i * 16]))
                        .as("pixel %d is a NaN when %d is one", i, spoilt)
                        .isEqualTo(seen);
            }
        }
    }

    private static Values convolve(Context on, Padding padding, Values in, Values w, int frames) {
        try (Tensor x = on.tensor(F32, in.shape());
                Tensor y = on.tensor(F32, frames, in.size(1), in.size(2), w.size(0));
                Weight weight = on.weight(WeightKind.CONVOLUTION, F32, w.shape())) {
            x.upload(in.bytes());
            weight.pack(0, w.size(0), w.bytes(), F32);
            on.ops().convolution(x, weight, padding, Epilogue.NONE, y);
            return read(y);
        }
    }

    private void check(Case c, Finish finish) {
        check(c, Padding.ZEROS, finish);
    }

    private void check(Case c, Padding padding, Finish finish) {
        Values in = gaussian(c.dtype, c.frames + c.kt - 1, c.height, c.width, c.in);
        Values w = gaussian(c.dtype, c.out, c.in, c.kt, c.kh, c.kw);
        long[] shape = shape(c.frames, c.height, c.width, c.out);
        Finish.Numbers numbers = finish.draw(this, c.dtype, shape);
        Tensor x = input(in);
        try (Weight packed = pack(WeightKind.CONVOLUTION, w)) {
            Values out =
                    run(
                            c.dtype,
                            shape,
                            y -> ops.convolution(x, packed, padding, numbers.on(this, y), y));
            assertClose(
                    out,
                    numbers.apply(reference(c, padding, in, w)),
                    (long) c.in * c.kt * c.kh * c.kw);
        }
    }

    /** Positions from one edge to the other and back. */
    private static int mirrored(int position, int size) {
        int way = Math.max(2 * (size - 1), 1);
        int along = Math.floorMod(position, way);
        return Math.min(along, way - along);
    }

    private static double[] reference(Case c, Padding padding, Values in, Values w) {
        double[] out = new double[c.frames * c.height * c.width * c.out];
        for (int i = 0; i < out.length; i++) {
            int o = i % c.out;
            int x = i / c.out % c.width;
            int y = i / c.out / c.width % c.height;
            int t = i / c.out / c.width / c.height;
            for (int a = 0; a < c.kt; a++) {
                for (int b = 0; b < c.kh; b++) {
                    for (int d = 0; d < c.kw; d++) {
                        int row = y + b - (c.kh - 1) / 2;
                        int column = x + d - (c.kw - 1) / 2;
                        if (padding == Padding.REFLECT) {
                            row = mirrored(row, c.height);
                            column = mirrored(column, c.width);
                        }
                        if (row < 0 || row >= c.height || column < 0 || column >= c.width) {
                            continue;
                        }
                        int pixel = (((t + a) * c.height + row) * c.width + column) * c.in;
                        for (int k = 0; k < c.in; k++) {
                            int tap = (((o * c.in + k) * c.kt + a) * c.kh + b) * c.kw + d;
                            out[i] += in.at(pixel + k) * w.at(tap);
                        }
                    }
                }
            }
        }
        return out;
    }

    /** A reflecting convolution of a frame of a size with a kernel of a size. */
    private static void reflect(
            Ops ops, WrongInputs.Given given, int width, int height, int rows, int columns) {
        Context context = given.tensor("in").context();
        try (Weight weight = context.weight(WeightKind.CONVOLUTION, F32, 2, 1, 1, rows, columns);
                Tensor in = context.tensor(F32, 1, height, width, 1);
                Tensor out = context.tensor(F32, 1, height, width, 2)) {
            ops.convolution(in, weight, Padding.REFLECT, Epilogue.NONE, out);
        }
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.convolution(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        Epilogue.bias(given.tensor("bias"))
                                                .residual(given.tensor("residual")),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 4, 3, 5, 6))
                .needs("weight", weight(WeightKind.CONVOLUTION, F32, 7, 6, 3, 3, 3))
                .allows("bias", tensor(F32, 7))
                .allows("residual", tensor(F32, 2, 3, 5, 7))
                .needs("out", tensor(F32, 2, 3, 5, 7))
                .wrong("in", tensor(F32, 12, 5, 6), "in", "[12, 5, 6]", "expected")
                .wrong("in", tensor(F32, 4, 3, 5, 8), "in", "8", "expected", "6")
                .wrong("in", tensor(F32, 2, 3, 5, 6), "in", "expected")
                .wrong("in", tensor(BF16, 4, 3, 5, 6), "weight is f32", "bf16")
                .wrong("weight", weight(WeightKind.LINEAR, F32, 7, 6), "weight", "kind")
                .wrong("bias", tensor(F32, 6), "bias", "[6]", "[7]")
                .wrong("residual", tensor(F32, 2, 3, 5, 6), "residual", "[2, 3, 5, 6]")
                .wrong("residual", tensor(BF16, 2, 3, 5, 7), "residual is bf16", "f32")
                .wrong("out", tensor(F32, 4, 3, 5, 7), "out", "[4, 3, 5, 7]", "[2, 3, 5, 7]")
                .wrong("out", tensor(F32, 2, 5, 3, 7), "out", "[2, 5, 3, 7]", "[2, 3, 5, 7]")
                .wrong("out", tensor(F32, 2, 3, 5, 6), "out", "[2, 3, 5, 6]", "[2, 3, 5, 7]")
                .wrong("out", tensor(BF16, 2, 3, 5, 7), "out", "bf16", "f32")
                .overlap("out", "in")
                .wrongCall(
                        "too few columns to reflect",
                        (ops, given) -> reflect(ops, given, 1, 7, 5, 5),
                        "in has 1 columns",
                        "more than the 2 that are reflected")
                .wrongCall(
                        "as many rows as are reflected",
                        (ops, given) -> reflect(ops, given, 15, 1, 3, 1),
                        "in has 1 rows",
                        "more than the 1 that are reflected")
                .wrongCall(
                        "an activation",
                        (ops, given) ->
                                ops.convolution(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        Epilogue.NONE.activation(Activation.SILU),
                                        given.tensor("out")),
                        "activation",
                        "expected")
                .wrongCall(
                        "a gate",
                        (ops, given) ->
                                ops.convolution(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        Epilogue.NONE.gate(
                                                given.tensor("bias").reshape(1, 1, 7), 0),
                                        given.tensor("out")),
                        "gate",
                        "expected")
                .wrongCall(
                        "square sums",
                        (ops, given) ->
                                ops.convolution(
                                        given.tensor("in"),
                                        given.weight("weight"),
                                        Epilogue.NONE.squareSums(
                                                given.tensor("residual")
                                                        .reshape(210)
                                                        .slice(0, 30)
                                                        .reshape(30, 1),
                                                1),
                                        given.tensor("out")),
                        "square sums",
                        "expected")
                .tests();
    }
}
