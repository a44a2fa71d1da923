package io.sanavideo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import io.sanavideo.weights.SafetensorsWriter.Entry;
import io.sanavideo.weights.WeightLoader.Part;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightLoaderTest {
    /** More elements than the loader moves in one block. */
    private static final int LONG = 1_200_000;

    @TempDir Path folder;
    private Context context;
    private Checkpoint checkpoint;
    private final List<Long> loaded = new ArrayList<>();

    @BeforeEach
    void open() {
        context = Context.cpu(1);
    }

    @AfterEach
    void close() {
        checkpoint.close();
        context.close();
    }

    private WeightLoader loader(DType compute, List<Entry> entries, ByteBuffer data) {
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder.resolve("model.safetensors"), Map.of(), entries)) {
            writer.write(data.flip());
        }
        checkpoint = Checkpoint.open(folder);
        return new WeightLoader(context, checkpoint, compute, loaded::add);
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static Entry entry(String name, DType dtype, long... shape) {
        return new Entry(name, dtype, Arrays.stream(shape).boxed().toList());
    }

    @Test
    void vectorsAreF32WhateverTheFileHolds() {
        List<Entry> entries =
                List.of(
                        entry("f32", DType.F32, 2),
                        entry("f16", DType.F16, 1, 2),
                        entry("bf16", DType.BF16, 3));
        ByteBuffer data = bytes(18).putFloat(1 + 0x1p-23f).putFloat(-2);
        data.putShort((short) 0x3c01).putShort((short) 0x8001);
        data.putShort((short) 0x3f81).putShort((short) 0xff7f).putShort((short) 0);
        try (WeightLoader loader = loader(DType.BF16, entries, data)) {
            Tensor f32 = loader.vector("f32", 2);
            assertThat(f32.dtype()).isEqualTo(DType.F32);
            assertThat(f32.toFloats()).containsExactly(1 + 0x1p-23f, -2);
            assertThat(loader.vector("f16", 1, 2).shape()).containsExactly(1, 2);
            assertThat(loader.vector("f16", 1, 2).toFloats())
                    .containsExactly(1 + 0x1p-10f, -0x1p-24f);
            assertThat(loader.vector("bf16", 3).toFloats())
                    .containsExactly(1 + 0x1p-7f, -0x1.fep127f, 0);
            Tensor merged = loader.mergedVector(new Part("bf16", 3), new Part("f32", 2));
            assertThat(merged.toFloats())
                    .containsExactly(1 + 0x1p-7f, -0x1.fep127f, 0, 1 + 0x1p-23f, -2);
            assertThat(context.memoryInUse()).isPositive();
        }
        assertThat(context.memoryInUse()).isZero();
    }

    @Test
    void tablesAreOfTheComputeDTypeRoundedToNearestEven() {
        ByteBuffer data = bytes(4 * LONG);
        for (int i = 0; i < LONG; i++) {
            data.putFloat(i % 3 == 0 ? 1 + 0x1p-8f : i % 3 == 1 ? 1 + 3 * 0x1p-8f : -i);
        }
        try (WeightLoader loader =
                loader(DType.BF16, List.of(entry("t", DType.F32, LONG / 8, 8)), data)) {
            Tensor table = loader.table("t", LONG / 8, 8);
            assertThat(table.dtype()).isEqualTo(DType.BF16);
            float[] values = table.toFloats();
            for (int i = 0; i < LONG; i += 3) {
                assertThat(values[i]).isEqualTo(1);
                assertThat(values[i + 1]).isEqualTo(1 + 0x1p-6f);
                assertThat(Math.abs(values[i + 2] + (i + 2)))
                        .isLessThanOrEqualTo((i + 2) * 0x1p-8f);
            }
        }
    }

    /** Rows of weights, read back as the product with the unit matrix. */
    private float[] rows(Weight weight) {
        int in = (int) weight.shape()[1];
        int out = (int) weight.shape()[0];
        float[] unit = new float[in * in];
        for (int i = 0; i < in; i++) {
            unit[i * in + i] = 1;
        }
        try (Tensor input = context.tensor(weight.dtype(), in, in);
                Tensor output = context.tensor(weight.dtype(), in, out)) {
            input.upload(unit);
            context.ops().linear(input, weight, Epilogue.NONE, output);
            float[] columns = output.toFloats();
            float[] rows = new float[in * out];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = columns[i % in * out + i / in];
            }
            return rows;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void mergedWeightsHoldTheRowsOfAllInOrder(DType compute) {
        List<Entry> entries =
                List.of(entry("q", DType.F32, LONG / 6, 6), entry("k", DType.BF16, 2, 3, 2, 1));
        ByteBuffer data = bytes(4 * LONG + 24);
        for (int i = 0; i < LONG; i++) {
            data.putFloat(i % 251);
        }
        for (int i = 0; i < 12; i++) {
            data.putShort((short) (0x4000 + i));
        }
        try (WeightLoader loader = loader(compute, entries, data)) {
            float[] q = rows(loader.weight(WeightKind.LINEAR, "q", LONG / 6, 6));
            assertThat(q).hasSize(LONG);
            for (int i = 0; i < LONG; i++) {
                assertThat(q[i]).isEqualTo(i % 251);
            }
            Weight k = loader.weight(WeightKind.LINEAR, "k", 2, 3, 2, 1);
            assertThat(k.dtype()).isEqualTo(compute);
            assertThat(k.shape()).containsExactly(2, 6);
            Weight merged =
                    loader.merged(
                            WeightKind.LINEAR,
                            new Part("k", 2, 3, 2, 1),
                            new Part("k", 2, 3, 2, 1));
            float[] rows = rows(merged);
            assertThat(Arrays.copyOf(rows, 12)).isEqualTo(rows(k));
            assertThat(Arrays.copyOfRange(rows, 12, 24)).isEqualTo(rows(k));
            assertThat(rows(k)[11]).isEqualTo(2 + 11 * 0x1p-6f);
        }
        assertThat(context.memoryInUse()).isZero();
    }

    @Test
    void everyKindTakesItsShapeOfTheFile() {
        List<Entry> entries =
                List.of(
                        entry("temporal", DType.BF16, 4, 4, 3, 1),
                        entry("convolution", DType.BF16, 4, 2, 3, 1, 1),
                        entry("upsample", DType.BF16, 4, 2, 3, 3),
                        entry("depthwise", DType.BF16, 8, 1, 3, 3));
        try (WeightLoader loader = loader(DType.F32, entries, bytes(2 * 216).position(2 * 216))) {
            assertThat(loader.weight(WeightKind.TEMPORAL, "temporal", 4, 4, 3, 1).shape())
                    .containsExactly(4, 4, 3);
            assertThat(loader.weight(WeightKind.CONVOLUTION, "convolution", 4, 2, 3, 1, 1).shape())
                    .containsExactly(4, 2, 3, 1, 1);
            assertThat(loader.weight(WeightKind.UPSAMPLE, "upsample", 4, 2, 3, 3).shape())
                    .containsExactly(4, 2, 3, 3);
            assertThat(loader.weight(WeightKind.DEPTHWISE, "depthwise", 8, 1, 3, 3).shape())
                    .containsExactly(8, 1, 3, 3);
        }
    }

    @Test
    void wrongTensorsAreNamed() {
        List<Entry> entries = List.of(entry("a", DType.F32, 2), entry("ids", DType.I64, 1));
        WeightLoader loader =
                loader(DType.BF16, entries, bytes(16).putFloat(1).putFloat(2).putLong(3));
        refused(() -> loader.vector("b", 2), "missing tensor 'b'");
        refused(() -> loader.vector("a", 3), "tensor 'a'", "has shape [2]", "expected [3]");
        refused(() -> loader.vector("ids", 1), "tensor 'ids'", "dtype is I64", "F32, BF16, F16");
        assertThatThrownBy(() -> loader.mergedVector(new Part("a", 2), new Part("c", 2, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'a' of shape [2]", "'c' of shape [2, 1]");
        assertThatThrownBy(() -> new WeightLoader(context, checkpoint, DType.F16, loaded::add))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("F16");
        loader.close();
        assertThat(context.memoryInUse()).isZero();
    }

    @Test
    void bytesThatWereLoadedAreTold() {
        List<Entry> entries =
                List.of(entry("x", DType.F32, LONG / 6, 6), entry("y", DType.BF16, 2, 3));
        ByteBuffer data = bytes(4 * LONG + 12);
        WeightLoader loader = loader(DType.F32, entries, data.position(data.capacity()));
        loader.vector("x", LONG / 6, 6);
        loader.weight(WeightKind.LINEAR, "y", 2, 3);
        loader.weight(WeightKind.LINEAR, "x", LONG / 6, 6);

        // The buffer of 4 MiB, of which conversion takes half; whole rows of 24 bytes.
        assertThat(loaded)
                .containsExactly(2_097_152L, 2_097_152L, 605_696L, 12L, 4_194_288L, 605_712L);
    }

    @Test
    void nothingIsLoadedAfterTheEnd() {
        WeightLoader loader =
                loader(
                        DType.F32,
                        List.of(entry("x", DType.F32, 2)),
                        bytes(8).putFloat(1).putFloat(2));
        Tensor vector = loader.vector("x", 2);
        loader.finish();

        assertThat(vector.toFloats()).containsExactly(1, 2);
        assertThatThrownBy(() -> loader.vector("x", 2))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    private static void refused(Runnable load, String... words) {
        assertThatThrownBy(load::run)
                .isExactlyInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(words);
    }

    private WeightLoader withElement(DType compute, int index, float value) {
        ByteBuffer data = bytes(4 * LONG + 8).putLong(0);
        data.position(8 + 4 * index).putFloat(value);
        data.position(data.capacity());
        return loader(
                compute,
                List.of(entry("x", DType.F32, 2), entry("y", DType.F32, LONG / 6, 6)),
                data);
    }

    @Test
    void anElementThatIsNotFiniteIsNamed() {
        int index = LONG - 5;
        WeightLoader loader = withElement(DType.F32, index, Float.NaN);
        long at = checkpoint.require("y", LONG / 6, 6).begin() + 4L * index;
        String[] words = {
            "model.safetensors", "tensor 'y'", "element " + index + " is NaN", "at byte " + at
        };
        refused(() -> loader.vector("y", LONG / 6, 6), words);
        refused(() -> loader.weight(WeightKind.LINEAR, "y", LONG / 6, 6), words);
    }

    @Test
    void anElementBeyondTheRangeOfBf16IsNamed() {
        WeightLoader loader = withElement(DType.BF16, 7, Float.MAX_VALUE);
        assertThat(loader.vector("y", LONG / 6, 6).toFloats()[7]).isEqualTo(Float.MAX_VALUE);
        refused(
                () -> loader.table("y", LONG / 6, 6),
                "tensor 'y'",
                "element 7 is 3.4028235E38",
                "BF16 can hold");
        refused(
                () -> loader.weight(WeightKind.LINEAR, "y", LONG / 6, 6),
                "tensor 'y'",
                "element 7 is 3.4028235E38");
    }
}
