package io.sanavideo.kernels;

import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F16;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.WeightKind.CONVOLUTION;
import static io.sanavideo.runtime.WeightKind.DEPTHWISE;
import static io.sanavideo.runtime.WeightKind.LINEAR;
import static io.sanavideo.runtime.WeightKind.TEMPORAL;
import static io.sanavideo.runtime.WeightKind.UPSAMPLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.DeviceException;
import io.sanavideo.NumericsException;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class WeightTest extends KernelTest {
    /** A kind with a shape, and the input and output shape of its op. */
    record Case(DType dtype, WeightKind kind, long[] shape, long[] in, long[] out) {
        @Override
        public String toString() {
            return dtype + " " + kind + " " + List.of(shape[0], shape[1]);
        }
    }

    static Stream<Case> kinds() {
        return FLOATS.stream()
                .flatMap(
                        d ->
                                Stream.of(
                                        new Case(
                                                d,
                                                LINEAR,
                                                shape(37, 21),
                                                shape(5, 21),
                                                shape(5, 37)),
                                        new Case(
                                                d,
                                                LINEAR,
                                                shape(64, 48),
                                                shape(5, 48),
                                                shape(5, 64)),
                                        new Case(
                                                d,
                                                TEMPORAL,
                                                shape(19, 19, 3),
                                                shape(1, 3, 2, 19),
                                                shape(1, 3, 2, 19)),
                                        new Case(
                                                d,
                                                CONVOLUTION,
                                                shape(17, 5, 3, 3, 3),
                                                shape(3, 4, 4, 5),
                                                shape(1, 4, 4, 17)),
                                        new Case(
                                                d,
                                                CONVOLUTION,
                                                shape(67, 21, 3, 3, 3),
                                                shape(3, 4, 5, 21),
                                                shape(1, 4, 5, 67)),
                                        new Case(
                                                d,
                                                UPSAMPLE,
                                                shape(18, 7, 3, 3),
                                                shape(1, 3, 2, 7),
                                                shape(1, 6, 4, 18)),
                                        new Case(
                                                d,
                                                DEPTHWISE,
                                                shape(34, 1, 3, 3),
                                                shape(1, 3, 4, 34),
                                                shape(1, 3, 4, 17))));
    }

    /** The op of a weight's kind: what is seen of a weight's content. */
    private Values apply(Case c, Weight weight, Tensor in) {
        return run(
                c.dtype,
                c.out,
                out -> {
                    switch (c.kind) {
                        case LINEAR -> ops.linear(in, weight, Epilogue.NONE, out);
                        case TEMPORAL ->
                                ops.temporalConvolution(in, null, weight, Epilogue.NONE, out);
                        case CONVOLUTION -> ops.convolution(in, weight, Epilogue.NONE, out);
                        case UPSAMPLE -> ops.upsampleConvolution(in, weight, null, out);
                        case DEPTHWISE ->
                                ops.depthwiseGate(
                                        in,
                                        weight,
                                        input(Values.of(F32, () -> 0.5, c.shape[0])),
                                        out);
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void packsInAnyBlocksOfRows(Case c) {
        Values values = gaussian(c.dtype, c.shape);
        Tensor in = input(gaussian(c.dtype, c.in));
        Values whole = apply(c, pack(c.kind, values), in);
        for (int most : new int[] {1, 3, 16, 17}) {
            try (Weight pieces = context.weight(c.kind, c.dtype, c.shape)) {
                packPieces(values, pieces, most);
                assertSame(apply(c, pieces, in), whole);
            }
        }
    }

    /** Packs blocks of random numbers of rows, from the last block to the first. */
    private void packPieces(Values values, Weight weight, int most) {
        int row = values.length() / values.size(0);
        int end = values.size(0);
        while (end > 0) {
            int count = random.nextInt(1, Math.min(most, end) + 1);
            end -= count;
            Values block = values.part(end * row, (long) count * row);
            weight.pack(end, count, block.bytes(), values.dtype());
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void replacesRowsThatArePackedAgain(Case c) {
        Values values = gaussian(c.dtype, c.shape);
        Tensor in = input(gaussian(c.dtype, c.in));
        Weight reused = pack(c.kind, gaussian(c.dtype, c.shape));
        reused.pack(0, c.shape[0], values.bytes(), c.dtype);
        assertSame(apply(c, reused, in), apply(c, pack(c.kind, values), in));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void convertsFromEveryFloatType(Case c) {
        Tensor in = input(gaussian(c.dtype, c.in));
        for (DType source : List.of(F32, BF16, F16)) {
            Values values = gaussian(F32, c.shape);
            ByteBuffer data = Values.buffer(values.length(), source);
            float[] held = new float[values.length()];
            for (int i = 0; i < held.length; i++) {
                held[i] = put(data, source, values.data()[i], c.dtype);
            }
            try (Weight converted = context.weight(c.kind, c.dtype, c.shape)) {
                converted.pack(0, c.shape[0], data.flip(), source);
                Weight expected = pack(c.kind, new Values(c.dtype, c.shape, held));
                assertSame(apply(c, converted, in), apply(c, expected, in));
            }
        }
    }

    /** Writes a value near the given one in a source type; returns what a weight then holds. */
    private static float put(ByteBuffer data, DType source, float value, DType target) {
        switch (source) {
            case F32 -> {
                data.putFloat(value);
                return Values.round(target, value);
            }
            case BF16 -> {
                float held = Values.round(BF16, value);
                data.putShort((short) (Float.floatToRawIntBits(held) >>> 16));
                return held;
            }
            default -> {
                // A normal f16 number of random sign, exponent and fraction.
                int bits = Float.floatToRawIntBits(value);
                int sign = bits >>> 31;
                int exponent = 10 + (bits & 7);
                int fraction = bits >>> 3 & 0x3ff;
                data.putShort((short) (sign << 15 | exponent << 10 | fraction));
                double held = (1 + fraction / 1024.0) * Math.pow(2, exponent - 15);
                return Values.round(target, (float) (sign == 0 ? held : -held));
            }
        }
    }

    @Test
    void readsSmallF16Numbers() {
        // The smallest subnormal, the largest subnormal, the smallest normal, the largest, zeros.
        short[] bits = {0x0001, 0x03ff, 0x0400, 0x7bff, 0x0000, (short) 0x8001};
        double[] held = {0x1p-24, 1023 * 0x1p-24, 0x1p-14, 65504, 0, -0x1p-24};
        Weight weight = context.weight(LINEAR, F32, 1, bits.length);
        ByteBuffer data = Values.buffer(bits.length, F16);
        for (short element : bits) {
            data.putShort(element);
        }
        weight.pack(0, 1, data.flip(), F16);
        for (int i = 0; i < bits.length; i++) {
            int column = i;
            int[] next = {0};
            Values unit = Values.of(F32, () -> next[0]++ == column ? 1 : 0, 1, bits.length);
            Tensor in = input(unit);
            Values out = run(F32, shape(1, 1), y -> ops.linear(in, weight, Epilogue.NONE, y));
            assertThat(out.at(0)).isEqualTo(held[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void refusesWhatIsNotFinite(Case c) {
        Values values = gaussian(c.dtype, c.shape);
        int row = values.length() / values.size(0);
        int index = random.nextInt(row, values.length());
        int firstRow = index / row;
        for (float bad : new float[] {Float.NaN, 1 / 0f, -1 / 0f}) {
            Values spoilt = values.part(0, c.shape);
            spoilt.data()[index] = bad;
            Weight weight = context.weight(c.kind, c.dtype, c.shape);
            assertNotFinite(weight, 0, spoilt, index);
            // Its index in the weight, not in the block.
            assertNotFinite(weight, firstRow, spoilt.part(firstRow * row, 1, row), index);
            weight.close();
        }
    }

    private static void assertNotFinite(Weight weight, int firstRow, Values block, int index) {
        assertThatThrownBy(() -> weight.pack(firstRow, block.size(0), block.bytes(), block.dtype()))
                .isInstanceOf(NumericsException.class)
                .hasMessageContaining(String.valueOf(index));
    }

    @Test
    void refusesAnInfiniteF16Number() {
        Weight weight = context.weight(LINEAR, BF16, 2, 3);
        ByteBuffer infinite = Values.buffer(3, F16);
        infinite.putShort((short) 0).putShort((short) 0x7c00).putShort((short) 0).flip();
        assertThatThrownBy(() -> weight.pack(1, 1, infinite, F16))
                .isInstanceOf(NumericsException.class)
                .hasMessageContaining("4");
    }

    @Test
    void refusesWrongRowsAndBuffers() {
        Weight weight = context.weight(LINEAR, F32, 5, 3);
        ByteBuffer twoRows = Values.buffer(6, F32);
        assertRefused(() -> weight.pack(4, 2, twoRows, F32), "rows 4 to 5", "rows of 0 to 4");
        assertRefused(() -> weight.pack(-1, 2, twoRows, F32), "rows -1 to 0", "rows of 0 to 4");
        assertRefused(() -> weight.pack(0, 0, Values.buffer(0, F32), F32), "rows of 0 to 4");
        assertRefused(() -> weight.pack(0, 1, twoRows, F32), "24 bytes", "12 bytes");
        assertRefused(() -> weight.pack(0, 2, twoRows, BF16), "24 bytes", "12 bytes");
        assertRefused(
                () -> weight.pack(0, 2, ByteBuffer.allocate(24), F32), "heap", "direct", "24");
        assertRefused(
                () -> weight.pack(0, 2, Values.buffer(6, DType.I32), DType.I32),
                "data is i32",
                "expected f32, f16 or bf16");
    }

    /** Its layouts are its own, and it has no stream: nothing of it is for a card's libraries. */
    @Test
    void theCpuHandsNothingToLibraries() {
        Weight linear = context.weight(LINEAR, F32, 5, 3);
        Weight temporal = context.weight(TEMPORAL, F32, 5, 5, 3);

        assertThatThrownBy(linear::matrix)
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("the CPU's layout");
        assertThatThrownBy(temporal::matrix)
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("weight is of kind 1, expected kind 0 or 2");
        assertThatThrownBy(context::stream)
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("no CUDA stream");
    }

    @Test
    void refusesShapesOfAnotherKind() {
        assertRefused(() -> context.weight(LINEAR, F32, 5), "[5]", "[out, in]");
        assertRefused(() -> context.weight(LINEAR, F32, 5, 0), "[5, 0]", "positive");
        assertRefused(() -> context.weight(TEMPORAL, F32, 5, 4, 3), "[5, 4, 3]", "[channels");
        assertRefused(() -> context.weight(TEMPORAL, F32, 5, 5, 5), "[5, 5, 5]", "3]");
        assertRefused(() -> context.weight(CONVOLUTION, F32, 5, 4, 3, 2, 3), "odd");
        assertRefused(() -> context.weight(UPSAMPLE, F32, 5, 4, 1, 3), "[5, 4, 1, 3]", "[out, in");
        assertRefused(() -> context.weight(DEPTHWISE, F32, 6, 2, 3, 3), "[6, 2, 3, 3]");
        assertRefused(() -> context.weight(LINEAR, F16, 5, 4), "f16", "expected f32 or bf16");
        assertRefused(() -> context.weight(LINEAR, F32, 1, 1, 1, 1, 1, 1, 1), "rank 7");
    }

    private static void assertRefused(Runnable wrong, String... words) {
        assertThatThrownBy(wrong::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(words);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void countsItsBytes(Case c) {
        long before = context.memoryInUse();
        Weight weight = context.weight(c.kind, c.dtype, c.shape);
        assertThat(weight.bytes())
                .isGreaterThanOrEqualTo((long) Values.length(c.shape) * c.dtype.bytes())
                .isEqualTo(context.memoryInUse() - before);
        weight.close();
        assertThat(context.memoryInUse()).isEqualTo(before);
        assertThatThrownBy(weight::bytes)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        ByteBuffer data = Values.buffer(Values.length(c.shape), c.dtype);
        assertThatThrownBy(() -> weight.pack(0, c.shape[0], data, c.dtype))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @ParameterizedTest
    @EnumSource(WeightKind.class)
    void stopsWhenCancelled(WeightKind kind) {
        Case c = kinds().filter(any -> any.kind == kind).findFirst().orElseThrow();
        Weight weight = context.weight(kind, c.dtype, c.shape);
        Values values = gaussian(c.dtype, c.shape);
        context.cancel();
        assertThatThrownBy(() -> weight.pack(0, c.shape[0], values.bytes(), c.dtype))
                .isInstanceOf(CancelledException.class);
        context.resume();
        weight.pack(0, c.shape[0], values.bytes(), c.dtype);
        Tensor in = input(gaussian(c.dtype, c.in));
        assertSame(apply(c, weight, in), apply(c, pack(kind, values), in));
    }
}
