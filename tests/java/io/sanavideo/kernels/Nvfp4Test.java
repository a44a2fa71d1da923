package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * NVFP4 against tables: what is nearest is found by trying every code, not by arithmetic on bits.
 */
class Nvfp4Test extends KernelTest {
    private static final double[] CODES = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
    private static final int BLOCK = 16;
    private static final float[] SCALES = new float[127];

    static {
        for (int i = 0; i < SCALES.length; i++) {
            int exponent = i / 8;
            SCALES[i] =
                    exponent == 0
                            ? i / 512f
                            : (float) ((1 + i % 8 / 8.0) * Math.pow(2, exponent - 7));
        }
    }

    private record Quantized(byte[] codes, byte[] scales) {}

    private Quantized quantize(Tensor in, float globalScale, boolean fourOverSix) {
        long rows = in.size(0);
        long padded = (in.size(1) + 63) / 64 * 64;
        Tensor codes = output(U8, rows, padded / 2);
        Tensor scales = output(U8, rows, padded / BLOCK);
        ops.nvfp4Quantize(in, globalScale, fourOverSix, codes, scales);
        return new Quantized(bytes(codes), bytes(scales));
    }

    private static byte[] bytes(Tensor tensor) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.toIntExact(tensor.bytes()));
        tensor.download(buffer);
        byte[] bytes = new byte[buffer.capacity()];
        buffer.get(0, bytes);
        return bytes;
    }

    private Tensor upload(byte[] bytes, long... shape) {
        Tensor tensor = output(U8, shape);
        tensor.upload(ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
        return tensor;
    }

    private Tensor floats(DType dtype, float[] values, long... shape) {
        Tensor tensor = output(dtype, shape);
        tensor.upload(values);
        return tensor;
    }

    /** The index of the nearest number of a rising table; of two, the even one. */
    private static int nearest(double x, int count, IntToDoubleFunction table) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            double here = Math.abs(table.applyAsDouble(i) - x);
            double there = Math.abs(table.applyAsDouble(best) - x);
            if (here < there || here == there && i % 2 == 0) {
                best = i;
            }
        }
        return best;
    }

    private static int scaleOf(float x) {
        return nearest(x, SCALES.length, i -> SCALES[i]);
    }

    private static int codeOf(float x, float step) {
        float size = step == 0 ? 0 : Math.abs(x) / step;
        return nearest(size, CODES.length, i -> CODES[i])
                | (Float.floatToRawIntBits(x) < 0 ? 8 : 0);
    }

    private static float value(int code, float step) {
        return (float) (CODES[code & 7] * step) * ((code & 8) == 0 ? 1 : -1);
    }

    private static float error(float[] block, int scale, float globalScale) {
        float step = SCALES[scale] * globalScale;
        float sum = 0;
        for (float x : block) {
            float difference = x - value(codeOf(x, step), step);
            sum += difference * difference;
        }
        return sum;
    }

    private static int expectedScale(float[] block, float globalScale, boolean fourOverSix) {
        float largest = 0;
        for (float x : block) {
            largest = Math.max(largest, Math.abs(x));
        }
        int six = scaleOf(largest / (6 * globalScale));
        int four = scaleOf(largest / (4 * globalScale));
        return fourOverSix && error(block, four, globalScale) < error(block, six, globalScale)
                ? four
                : six;
    }

    private void check(DType dtype, int rows, int length, float globalScale, boolean fourOverSix) {
        Values in = gaussian(dtype, rows, length);
        Quantized made = quantize(input(in), globalScale, fourOverSix);
        int blocks = (length + 63) / 64 * 4;
        for (int row = 0; row < rows; row++) {
            for (int b = 0; b < blocks; b++) {
                float[] block = new float[BLOCK];
                for (int i = 0; i < BLOCK && b * BLOCK + i < length; i++) {
                    block[i] = (float) in.at(row * length + b * BLOCK + i);
                }
                int scale = expectedScale(block, globalScale, fourOverSix);
                int at = row * blocks + b;
                assertThat(made.scales[at]).as("scale of block %d", at).isEqualTo((byte) scale);
                for (int i = 0; i < BLOCK; i++) {
                    int code = made.codes[at * 8 + i / 2] >> i % 2 * 4 & 15;
                    assertThat(code)
                            .as("code of %s at %d of block %d", block[i], i, at)
                            .isEqualTo(codeOf(block[i], SCALES[scale] * globalScale));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1", "3, 15", "5, 16", "2, 17", "7, 64", "3, 65", "4, 200",
    })
    void everyBlockHasTheNearestCodes(int rows, int length) {
        for (DType dtype : FLOATS) {
            for (float globalScale : new float[] {1, 0.037f, 1e-3f, 100}) {
                check(dtype, rows, length, globalScale, false);
                check(dtype, rows, length, globalScale, true);
            }
        }
    }

    /** Each code with each scale, and each middle between two codes, goes to the even one. */
    @Test
    void everyCodeWithEveryScaleAndEveryTie() {
        double[] inputs = new double[2 * BLOCK];
        int[] expected = new int[2 * BLOCK];
        for (int code = 0; code < 16; code++) {
            inputs[code] = CODES[code & 7] * ((code & 8) == 0 ? 1 : -1);
            expected[code] = code;
        }
        inputs[8] = -0.0;
        for (int i = 0; i < 7; i++) {
            int even = i % 2 == 0 ? i : i + 1;
            inputs[BLOCK + i] = (CODES[i] + CODES[i + 1]) / 2;
            inputs[BLOCK + 7 + i] = -inputs[BLOCK + i];
            expected[BLOCK + i] = even;
            expected[BLOCK + 7 + i] = even | 8;
        }
        inputs[2 * BLOCK - 2] = 6;
        expected[2 * BLOCK - 2] = 7;
        float[] values = new float[SCALES.length * inputs.length];
        for (int scale = 0; scale < SCALES.length; scale++) {
            for (int i = 0; i < inputs.length; i++) {
                values[scale * inputs.length + i] = (float) (inputs[i] * SCALES[scale]);
            }
        }

        Quantized made = quantize(floats(F32, values, SCALES.length, inputs.length), 1, false);

        for (int scale = 0; scale < SCALES.length; scale++) {
            for (int b = 0; b < 2; b++) {
                assertThat(made.scales[scale * 4 + b]).isEqualTo((byte) scale);
            }
            for (int i = 0; i < inputs.length; i++) {
                int code = made.codes[scale * 32 + i / 2] >> i % 2 * 4 & 15;
                int sign = expected[i] & 8;
                assertThat(code)
                        .as("%s with scale %d", inputs[i], scale)
                        .isEqualTo(scale == 0 ? sign : expected[i]);
            }
        }
    }

    /** The middle between two scales goes to the even one; beyond the largest there is none. */
    @Test
    void scalesAreRoundedToEvenAndSaturated() {
        float[] largest = new float[SCALES.length * BLOCK];
        for (int i = 0; i + 1 < SCALES.length; i++) {
            largest[i * BLOCK] = 6 * (SCALES[i] + SCALES[i + 1]) / 2;
        }
        largest[(SCALES.length - 1) * BLOCK] = 1e6f;

        Quantized made = quantize(floats(F32, largest, SCALES.length, BLOCK), 1, false);

        for (int i = 0; i + 1 < SCALES.length; i++) {
            assertThat(made.scales[4 * i]).isEqualTo((byte) (i % 2 == 0 ? i : i + 1));
        }
        assertThat(made.scales[4 * (SCALES.length - 1)]).isEqualTo((byte) 126);
        assertThat(made.codes[32 * (SCALES.length - 1)] & 15).isEqualTo(7);
    }

    /** Between 4 and 6 there is no code: a block of fives is better off with 5 as its 4. */
    @Test
    void fourOverSixIsNeverWorse() {
        float[] block = new float[BLOCK];
        Arrays.fill(block, 5);
        block[0] = 6;
        Tensor in = floats(F32, block, 1, BLOCK);

        assertThat(quantize(in, 1, false).scales[0]).isEqualTo((byte) scaleOf(1));
        assertThat(quantize(in, 1, true).scales[0]).isEqualTo((byte) scaleOf(1.5f));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 17", "2, 64", "5, 200"})
    void dequantizes(int rows, int length) {
        int padded = (length + 63) / 64 * 64;
        byte[] codes = new byte[rows * padded / 2];
        byte[] scales = new byte[rows * padded / BLOCK];
        random.nextBytes(codes);
        for (int i = 0; i < scales.length; i++) {
            scales[i] = (byte) random.nextInt(SCALES.length);
        }
        Tensor packed = upload(codes, rows, padded / 2);
        Tensor packedScales = upload(scales, rows, padded / BLOCK);
        for (DType dtype : FLOATS) {
            Tensor out = output(dtype, rows, length);
            ops.nvfp4Dequantize(packed, packedScales, 0.3f, out);
            float[] values = out.toFloats();
            for (int i = 0; i < values.length; i++) {
                int at = i / length * padded + i % length;
                int code = codes[at / 2] >> at % 2 * 4 & 15;
                float expected = value(code, SCALES[scales[at / BLOCK]] * 0.3f);
                assertThat(values[i])
                        .isEqualTo(dtype == BF16 ? DType.roundToBf16(expected) : expected);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "33, 4", "129, 5", "130, 12"})
    void tilesAndBack(int rows, int count) {
        byte[] scales = new byte[rows * count];
        random.nextBytes(scales);
        Tensor given = upload(scales, rows, count);
        int columns = (count + 3) / 4;
        Tensor tiles = output(U8, (rows + 127) / 128, columns, 32, 4, 4);
        Tensor back = output(U8, rows, count);

        ops.nvfp4TileScales(given, tiles);
        ops.nvfp4UntileScales(tiles, back);

        byte[] tiled = bytes(tiles);
        byte[] expected = new byte[tiled.length];
        for (int row = 0; row < rows; row++) {
            for (int c = 0; c < count; c++) {
                int inTile = row % 32 * 16 + row % 128 / 32 * 4 + c % 4;
                expected[(row / 128 * columns + c / 4) * 512 + inTile] = scales[row * count + c];
            }
        }
        assertThat(tiled).isEqualTo(expected);
        assertThat(bytes(back)).isEqualTo(scales);
    }

    @TestFactory
    Stream<DynamicTest> quantizeRefusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.nvfp4Quantize(
                                        given.tensor("in"),
                                        1,
                                        true,
                                        given.tensor("codes"),
                                        given.tensor("scales")))
                .needs("in", tensor(F32, 3, 70))
                .needs("codes", tensor(U8, 3, 64))
                .needs("scales", tensor(U8, 3, 8))
                .wrong("in", tensor(U8, 3, 70), "in is u8", "f32 or bf16")
                .wrong("codes", tensor(U8, 3, 35), "codes", "[3, 35]", "[3, 64]")
                .wrong("codes", tensor(F32, 3, 64), "codes is f32", "u8")
                .wrong("scales", tensor(U8, 3, 5), "scales", "[3, 5]", "[3, 8]")
                .wrongCall(
                        "no global scale",
                        (ops, given) ->
                                ops.nvfp4Quantize(
                                        given.tensor("in"),
                                        0,
                                        true,
                                        given.tensor("codes"),
                                        given.tensor("scales")),
                        "global_scale is 0",
                        "above 0")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> dequantizeRefusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.nvfp4Dequantize(
                                        given.tensor("codes"),
                                        given.tensor("scales"),
                                        1,
                                        given.tensor("out")))
                .needs("codes", tensor(U8, 3, 64))
                .needs("scales", tensor(U8, 3, 8))
                .needs("out", tensor(F32, 3, 70))
                .wrong("codes", tensor(U8, 2, 64), "codes", "[2, 64]", "[3, 64]")
                .wrong("scales", tensor(U8, 3, 4), "scales", "[3, 4]", "[3, 8]")
                .wrong("out", tensor(U8, 3, 70), "out is u8", "f32 or bf16")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> tilesRefuseWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.nvfp4TileScales(given.tensor("scales"), given.tensor("tiles")))
                .needs("scales", tensor(U8, 130, 5))
                .needs("tiles", tensor(U8, 2, 2, 32, 4, 4))
                .wrong("scales", tensor(F32, 130, 5), "scales is f32", "u8")
                .wrong("tiles", tensor(U8, 1, 2, 32, 4, 4), "tiles", "[2, 2, 32, 4, 4]")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> untileRefusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.nvfp4UntileScales(
                                        given.tensor("tiles"), given.tensor("scales")))
                .needs("tiles", tensor(U8, 2, 2, 32, 4, 4))
                .needs("scales", tensor(U8, 130, 5))
                .wrong("tiles", tensor(U8, 2, 2, 32, 16), "tiles", "[2, 2, 32, 4, 4]")
                .tests();
    }
}
