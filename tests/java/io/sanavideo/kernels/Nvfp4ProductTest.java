package io.sanavideo.kernels;

import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.NumericsException;
import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Products of NVFP4 operands, and the ops that quantise their results, against doubles. */
class Nvfp4ProductTest extends KernelTest {
    private static final double[] CODES = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
    private static final int BLOCK = 16;
    private static final float INPUT_SCALE = 0.043f;

    /** Rows of codes and scales as files hold them, and what they stand for. */
    private record Rows(byte[] codes, byte[] scales, Values numbers) {}

    private static double scale(int code) {
        int exponent = code / 8;
        return exponent == 0 ? code / 512.0 : (1 + code % 8 / 8.0) * Math.pow(2, exponent - 7);
    }

    /** Any codes, with scales of 2^-4 to 2^3 and now and then one of 0; columns padded to 64. */
    private Rows draw(int rows, int columns, boolean pad, float globalScale) {
        int padded = pad ? (columns + 63) / 64 * 64 : columns;
        byte[] codes = new byte[rows * padded / 2];
        byte[] scales = new byte[rows * padded / BLOCK];
        float[] numbers = new float[rows * columns];
        for (int i = 0; i < scales.length; i++) {
            boolean beyond = i * BLOCK % padded >= columns;
            scales[i] =
                    (byte)
                            (beyond || i > 0 && random.nextInt(20) == 0
                                    ? 0
                                    : random.nextInt(24, 81));
        }
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < columns; k++) {
                int code = random.nextInt(16);
                int at = row * padded + k;
                codes[at / 2] |= (byte) (code << at % 2 * 4);
                double size = CODES[code & 7] * scale(scales[at / BLOCK]) * globalScale;
                numbers[row * columns + k] = (float) ((code & 8) == 0 ? size : -size);
            }
        }
        return new Rows(codes, scales, new Values(F32, shape(rows, columns), numbers));
    }

    private static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    private Tensor upload(byte[] bytes, long... shape) {
        Tensor tensor = output(U8, shape);
        tensor.upload(direct(bytes));
        return tensor;
    }

    private Nvfp4Matrix matrix(long rows, long columns) {
        return new Nvfp4Matrix(context.tensor(U8, Nvfp4Matrix.bytes(rows, columns)), rows, columns);
    }

    /** The rows in slabs. */
    private Nvfp4Matrix slabs(Rows rows) {
        int count = rows.numbers.size(0);
        Nvfp4Matrix matrix = matrix(count, rows.numbers.size(1));
        ops.nvfp4ToSlabs(
                upload(rows.codes, count, rows.codes.length / count),
                upload(rows.scales, count, rows.scales.length / count),
                INPUT_SCALE,
                matrix);
        return matrix;
    }

    /** What lies in slabs, row by row: codes, then scales. */
    private byte[][] fromSlabs(Nvfp4Matrix matrix) {
        long padded = (matrix.columns() + 63) / 64 * 64;
        Tensor codes = output(U8, matrix.rows(), padded / 2);
        Tensor scales = output(U8, matrix.rows(), padded / BLOCK);
        ops.nvfp4FromSlabs(matrix, codes, scales);
        return new byte[][] {bytes(codes), bytes(scales)};
    }

    private static byte[] bytes(Tensor tensor) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.toIntExact(tensor.bytes()));
        tensor.download(buffer);
        byte[] bytes = new byte[buffer.capacity()];
        buffer.get(0, bytes);
        return bytes;
    }

    /** A weight whose rows have two different global scales. */
    private Weight weight(WeightKind kind, Rows first, Rows second, float... globalScales) {
        int rows = first.numbers.size(0);
        int rest = second.numbers.size(0);
        int columns = first.numbers.size(1);
        Weight weight =
                kind == WeightKind.LINEAR
                        ? context.nvfp4Weight(kind, rows + rest, columns)
                        : context.nvfp4Weight(kind, rows + rest, columns / 3, 3);
        weight.packNvfp4(0, rows, direct(first.codes), direct(first.scales), globalScales[0]);
        weight.packNvfp4(rows, rest, direct(second.codes), direct(second.scales), globalScales[1]);
        return weight;
    }

    private static Values stacked(Rows first, Rows second) {
        float[] all = new float[first.numbers.length() + second.numbers.length()];
        System.arraycopy(first.numbers.data(), 0, all, 0, first.numbers.length());
        System.arraycopy(
                second.numbers.data(), 0, all, first.numbers.length(), second.numbers.length());
        int columns = first.numbers.size(1);
        return new Values(F32, shape(all.length / columns, columns), all);
    }

    private static double[] product(Values in, Values weight) {
        int depth = in.size(1);
        int outputs = weight.size(0);
        double[] product = new double[in.size(0) * outputs];
        for (int i = 0; i < product.length; i++) {
            for (int k = 0; k < depth; k++) {
                product[i] += in.at(i / outputs * depth + k) * weight.at(i % outputs * depth + k);
            }
        }
        return product;
    }

    record Case(DType dtype, int rows, int in, int out) {}

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 16, 2},
            {3, 32, 17},
            {5, 48, 16},
            {7, 64, 65},
            {17, 80, 33},
            {129, 128, 24},
            {241, 64, 70},
            {12, 2240, 24},
            {9, 720, 224}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void multipliesQuantisedRows(Case c) {
        check(c, Finish.NONE);
    }

    static Stream<Finish> epilogues() {
        return Finish.all(3).stream();
    }

    @ParameterizedTest
    @MethodSource("epilogues")
    void finishes(Finish finish) {
        check(new Case(F32, 21, 48, 37), finish);
        check(new Case(BF16, 21, 48, 37), finish);
    }

    private void check(Case c, Finish finish) {
        Rows in = draw(c.rows, c.in, true, INPUT_SCALE);
        Rows first = draw(c.out / 2, c.in, false, 0.7f);
        Rows second = draw(c.out - c.out / 2, c.in, false, 0.0031f);
        Finish.Numbers numbers = finish.draw(this, c.dtype, c.rows, c.out);
        try (Weight packed = weight(WeightKind.LINEAR, first, second, 0.7f, 0.0031f)) {
            Nvfp4Matrix x = slabs(in);
            Values out =
                    run(
                            c.dtype,
                            shape(c.rows, c.out),
                            y -> ops.nvfp4Linear(x, packed, numbers.on(this, y), y));
            double[] product = product(in.numbers, stacked(first, second));
            assertClose(out, numbers.apply(product), c.in);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void multipliesRowsThatAreNotQuantised(Case c) {
        Values in = gaussian(c.dtype, c.rows, c.in);
        Rows first = draw(c.out / 2, c.in, false, 0.7f);
        Rows second = draw(c.out - c.out / 2, c.in, false, 0.31f);
        Finish finish = new Finish(true, Activation.SILU, 1, Finish.Residual.APART);
        Finish.Numbers numbers = finish.draw(this, c.dtype, c.rows, c.out);
        Tensor x = input(in);
        try (Weight packed = weight(WeightKind.LINEAR, first, second, 0.7f, 0.31f)) {
            Values out =
                    run(
                            c.dtype,
                            shape(c.rows, c.out),
                            y -> ops.linear(x, packed, numbers.on(this, y), y));
            assertClose(out, numbers.apply(product(in, stacked(first, second))), c.in);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void addsTheLowRankCorrectionBeforeTheActivation(DType dtype) {
        int rows = 37;
        int depth = 80;
        int outputs = 70;
        int rank = 32;
        Rows in = draw(rows, depth, true, INPUT_SCALE);
        Rows first = draw(outputs / 2, depth, false, 0.02f);
        Rows second = draw(outputs - outputs / 2, depth, false, 0.01f);
        Values down = gaussian(dtype, rows, rank);
        Values up = gaussian(dtype, outputs, rank);
        Values bias = gaussian(F32, outputs);
        double[] expected = product(in.numbers, stacked(first, second));
        double[] correction = product(down, up);
        for (int i = 0; i < expected.length; i++) {
            expected[i] = silu(expected[i] + correction[i] + bias.at(i % outputs));
        }
        Epilogue epilogue = Epilogue.bias(input(bias)).activation(Activation.SILU);
        try (Weight packed = weight(WeightKind.LINEAR, first, second, 0.02f, 0.01f);
                Weight ups = pack(WeightKind.LINEAR, up)) {
            Nvfp4Matrix x = slabs(in);
            Epilogue corrected = epilogue.lowRank(input(down), ups);
            Values out =
                    run(dtype, shape(rows, outputs), y -> ops.nvfp4Linear(x, packed, corrected, y));
            assertClose(out, expected, depth + rank);
        }
    }

    record Clip(DType dtype, int batch, int frames, int pixels, int channels) {}

    static Stream<Clip> clips() {
        int[][] shapes = {{1, 1, 1, 16}, {1, 3, 13, 32}, {2, 4, 31, 48}, {1, 5, 17, 144}};
        return cases(shapes, (d, s) -> new Clip(d, s[0], s[1], s[2], s[3]));
    }

    /** The sums of a convolution whose weight has taps before channels, plus the identity. */
    private static double[] convolve(Clip c, Values in, Values weight, Values identity) {
        double[] sums = new double[identity.length()];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = identity.at(i);
            int row = i / c.channels;
            int frame = row / c.pixels % c.frames;
            for (int tap = 0; tap < 3; tap++) {
                if (frame + tap - 1 < 0 || frame + tap - 1 >= c.frames) {
                    continue;
                }
                int from = row + (tap - 1) * c.pixels;
                for (int k = 0; k < c.channels; k++) {
                    sums[i] +=
                            in.at(from * c.channels + k)
                                    * weight.at((i % c.channels * 3 + tap) * c.channels + k);
                }
            }
        }
        return sums;
    }

    @ParameterizedTest
    @MethodSource("clips")
    void convolvesQuantisedFrames(Clip c) {
        int rows = c.batch * c.frames * c.pixels;
        Rows in = draw(rows, c.channels, true, INPUT_SCALE);
        Rows first = draw(c.channels / 2, 3 * c.channels, false, 0.01f);
        Rows second = draw(c.channels / 2, 3 * c.channels, false, 0.02f);
        long[] shape = shape(c.batch, c.frames, c.pixels, c.channels);
        Values identity = gaussian(c.dtype, shape);
        int groups = c.batch * c.frames;
        Finish finish = new Finish(false, Activation.NONE, groups, Finish.Residual.APART);
        Finish.Numbers numbers = finish.draw(this, c.dtype, shape);
        Tensor y0 = input(identity);
        try (Weight packed = weight(WeightKind.TEMPORAL, first, second, 0.01f, 0.02f)) {
            Nvfp4Matrix x = slabs(in);
            Values out =
                    run(
                            c.dtype,
                            shape,
                            y ->
                                    ops.nvfp4TemporalConvolution(
                                            x, y0, packed, numbers.on(this, y), y));
            double[] sums = convolve(c, in.numbers, stacked(first, second), identity);
            assertClose(out, numbers.apply(sums), 3L * c.channels);
        }
    }

    @ParameterizedTest
    @MethodSource("clips")
    void convolvesFramesThatAreNotQuantised(Clip c) {
        long[] shape = shape(c.batch, c.frames, c.pixels, c.channels);
        Values in = gaussian(c.dtype, shape);
        Rows first = draw(c.channels / 2, 3 * c.channels, false, 0.01f);
        Rows second = draw(c.channels / 2, 3 * c.channels, false, 0.02f);
        Tensor x = input(in);
        try (Weight packed = weight(WeightKind.TEMPORAL, first, second, 0.01f, 0.02f)) {
            Values out =
                    run(
                            c.dtype,
                            shape,
                            y -> ops.temporalConvolution(x, null, packed, Epilogue.NONE, y));
            double[] sums = convolve(c, in, stacked(first, second), in);
            assertClose(out, sums, 3L * c.channels);
        }
    }

    /** What quantising the fp32 result afterwards gives. */
    private byte[][] quantised(Tensor result, float scale) {
        long columns = result.size(result.shape().length - 1);
        Nvfp4Matrix matrix = matrix(result.elements() / columns, columns);
        ops.nvfp4QuantizeRows(result, scale, matrix);
        return fromSlabs(matrix);
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void quantisesTheResultOfAProduct(Case c) {
        Rows in = draw(c.rows, c.in, true, INPUT_SCALE);
        Rows first = draw(c.out / 2, c.in, false, 0.02f);
        Rows second = draw(c.out - c.out / 2, c.in, false, 0.05f);
        Epilogue epilogue = Epilogue.bias(input(gaussian(F32, c.out))).activation(Activation.SILU);
        try (Weight packed = weight(WeightKind.LINEAR, first, second, 0.02f, 0.05f)) {
            Nvfp4Matrix x = slabs(in);
            Nvfp4Matrix quantised = matrix(c.rows, c.out);
            Tensor wide = output(F32, c.rows, c.out);
            ops.nvfp4Linear(x, packed, epilogue, wide);
            Tensor stored = output(c.dtype, c.rows, c.out);
            ops.nvfp4Linear(x, packed, epilogue.quantized(quantised, 0.3f), stored);
            assertThat(quantised.globalScale()).isEqualTo(0.3f);
            assertThat(fromSlabs(quantised)).isDeepEqualTo(quantised(wide, 0.3f));
            if (c.dtype == F32) {
                assertSame(read(stored), read(wide));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("clips")
    void quantisesTheResultOfAConvolution(Clip c) {
        int rows = c.batch * c.frames * c.pixels;
        Rows in = draw(rows, c.channels, true, INPUT_SCALE);
        Rows first = draw(c.channels / 2, 3 * c.channels, false, 0.01f);
        Rows second = draw(c.channels / 2, 3 * c.channels, false, 0.02f);
        long[] shape = shape(c.batch, c.frames, c.pixels, c.channels);
        Tensor identity = input(gaussian(F32, shape));
        try (Weight packed = weight(WeightKind.TEMPORAL, first, second, 0.01f, 0.02f)) {
            Nvfp4Matrix x = slabs(in);
            Nvfp4Matrix quantised = matrix(rows, c.channels);
            Tensor out = output(F32, shape);
            ops.nvfp4TemporalConvolution(
                    x, identity, packed, Epilogue.NONE.quantized(quantised, 0.1f), out);
            assertThat(fromSlabs(quantised)).isDeepEqualTo(quantised(out, 0.1f));
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void quantisesNormalisedRows(Case c) {
        Values in = gaussian(F32, c.rows, c.in);
        Tensor modulation = input(gaussian(F32, 1, 3, c.in));
        Tensor normed = output(F32, c.rows, c.in);
        Nvfp4Matrix quantised = matrix(c.rows, c.in);
        ops.layerNormModulated(input(in), modulation, 2, 0, 1e-6f, normed);
        ops.nvfp4LayerNormModulated(input(in), modulation, 2, 0, 1e-6f, 0.01f, quantised);
        assertThat(fromSlabs(quantised)).isDeepEqualTo(quantised(normed, 0.01f));
    }

    static Stream<int[]> gates() {
        return Stream.of(
                new int[] {1, 3, 2, 16}, new int[] {2, 4, 5, 48}, new int[] {1, 2, 3, 600});
    }

    @ParameterizedTest
    @MethodSource("gates")
    void quantisesGatedPixels(int[] s) {
        int hidden = s[3];
        Tensor in = input(gaussian(F32, s[0], s[1], s[2], 2L * hidden));
        Tensor bias = input(gaussian(F32, 2L * hidden));
        Tensor gated = output(F32, s[0], s[1], s[2], hidden);
        Nvfp4Matrix quantised = matrix((long) s[0] * s[1] * s[2], hidden);
        try (Weight taps = pack(WeightKind.DEPTHWISE, gaussian(F32, 2L * hidden, 1, 3, 3))) {
            ops.depthwiseGate(in, taps, bias, gated);
            ops.nvfp4DepthwiseGate(in, taps, bias, 0.02f, quantised);
        }
        assertThat(fromSlabs(quantised)).isDeepEqualTo(quantised(gated, 0.02f));
    }

    @Test
    void windowsOfRowsAreMultipliedAlone() {
        Rows in = draw(90, 144, true, INPUT_SCALE);
        Rows first = draw(20, 144, false, 0.02f);
        Rows second = draw(13, 144, false, 0.05f);
        try (Weight packed = weight(WeightKind.LINEAR, first, second, 0.02f, 0.05f)) {
            Nvfp4Matrix x = slabs(in);
            Tensor all = output(F32, 90, 33);
            ops.nvfp4Linear(x, packed, Epilogue.NONE, all);
            Tensor some = output(F32, 51, 33);
            ops.nvfp4Linear(x.rows(20, 60).rows(3, 51), packed, Epilogue.NONE, some);
            assertSame(read(some), read(all).part(23 * 33, 51, 33));
        }
    }

    @Test
    void aWeightTakesFourAndAHalfBitsAnElementAndAScaleAColumn() {
        try (Weight packed = context.nvfp4Weight(WeightKind.LINEAR, 2240, 6720)) {
            assertThat(packed.bytes()).isEqualTo(2240L * 6720 * 9 / 16 + 4 * 2240);
        }
    }

    @Test
    void librariesDoNotGetIt() {
        try (Weight packed = context.nvfp4Weight(WeightKind.LINEAR, 8, 32)) {
            assertThatThrownBy(packed::matrix).hasMessageContaining("weight is NVFP4");
        }
    }

    @Test
    void aScaleThatIsNoNumberIsNamed() {
        Rows rows = draw(3, 32, false, 1);
        try (Weight packed = context.nvfp4Weight(WeightKind.LINEAR, 5, 32)) {
            for (int broken : new int[] {0x7f, 0x80, 0xff}) {
                rows.scales[3] = (byte) broken;
                assertThatThrownBy(
                                () ->
                                        packed.packNvfp4(
                                                1, 3, direct(rows.codes), direct(rows.scales), 1))
                        .isInstanceOf(NumericsException.class)
                        .hasMessageContaining("scale 5 is the byte 0x%02x".formatted(broken));
            }
        }
    }

    private static DynamicTest refused(String message, ThrowingCallable call) {
        return DynamicTest.dynamicTest(
                message,
                () ->
                        assertThatThrownBy(call)
                                .isInstanceOf(IllegalArgumentException.class)
                                .hasMessageContaining(message));
    }

    @TestFactory
    Stream<DynamicTest> wrongInputs() {
        Weight packed = context.nvfp4Weight(WeightKind.LINEAR, 8, 32);
        Weight dense = context.weight(WeightKind.LINEAR, F32, 8, 32);
        Nvfp4Matrix x = matrix(4, 32);
        ops.nvfp4QuantizeRows(output(F32, 4, 32), 1, x);
        Tensor out = output(F32, 4, 8);
        Tensor narrow = output(F32, 4, 5);
        Weight up = context.weight(WeightKind.LINEAR, F32, 8, 5);
        return Stream.of(
                refused("weight is f32", () -> ops.nvfp4Linear(x, dense, Epilogue.NONE, out)),
                refused(
                        "in has 4 rows of 16 columns",
                        () -> ops.nvfp4Linear(matrix(4, 16), packed, Epilogue.NONE, out)),
                refused("out has shape", () -> ops.nvfp4Linear(x, packed, Epilogue.NONE, narrow)),
                refused(
                        "global_scale is 0",
                        () -> ops.nvfp4QuantizeRows(output(F32, 4, 32), 0, matrix(4, 32))),
                refused(
                        "low_rank_up is null",
                        () -> ops.nvfp4Linear(x, packed, Epilogue.NONE.lowRank(narrow, null), out)),
                refused(
                        "only NVFP4 weights have",
                        () ->
                                ops.linear(
                                        output(F32, 4, 32),
                                        dense,
                                        Epilogue.NONE.lowRank(narrow, up),
                                        out)),
                refused(
                        "quantized has 4 rows of 32 columns, expected 4 of 8",
                        () ->
                                ops.nvfp4Linear(
                                        x, packed, Epilogue.NONE.quantized(matrix(4, 32), 1), out)),
                refused("multiple of 16", () -> context.nvfp4Weight(WeightKind.LINEAR, 8, 24)),
                refused(
                        "the weight is NVFP4",
                        () -> packed.pack(0, 8, ByteBuffer.allocateDirect(8 * 32 * 4), F32)));
    }
}
