package io.sanavideo.weights;

import static io.sanavideo.weights.SafetensorsBytes.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.DType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsFileTest {
    @TempDir Path folder;

    static List<Path> shippedFiles() throws IOException {
        try (Stream<Path> golden = Files.walk(Path.of("tests/golden"));
                Stream<Path> demo = Files.walk(Path.of("src/main/resources/io/sanavideo/demo"))) {
            return Stream.concat(golden, demo)
                    .filter(path -> path.toString().endsWith(".safetensors"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("shippedFiles")
    void shippedFilesOpenAndEveryElementIsFinite(Path path) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.tensors()).isNotEmpty();
            for (StoredTensor tensor : file.tensors().values()) {
                float[] values = tensor.toFloats();
                assertThat(values).hasSize(Math.toIntExact(tensor.elements()));
                for (float value : values) {
                    assertThat(Float.isFinite(value)).as(tensor.name()).isTrue();
                }
            }
        }
    }

    @Test
    void headerIsGivenInTheOrderOfTheData() {
        String header =
                "{%s,%s,%s,\"__metadata__\":{\"b\":\"1\",\"a\":\"\u00e9\"}}"
                        .formatted(
                                entry("last", "I64", "[]", "[6,14]"),
                                entry("first", "BF16", "[1,3]", "[0,6]"),
                                entry("none", "F32", "[4,0]", "[6,6]"));
        Path path =
                SafetensorsBytes.write(
                        folder.resolve("x.safetensors"), SafetensorsBytes.of(header, 14));
        long data = path.toFile().length() - 14;
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.path()).isEqualTo(path);
            assertThat(file.metadata())
                    .containsExactly(Map.entry("b", "1"), Map.entry("a", "\u00e9"));
            assertThat(file.tensors().values())
                    .containsExactly(
                            new StoredTensor(
                                    file, "first", DType.BF16, List.of(1L, 3L), data, data + 6),
                            new StoredTensor(
                                    file, "none", DType.F32, List.of(4L, 0L), data + 6, data + 6),
                            new StoredTensor(
                                    file, "last", DType.I64, List.of(), data + 6, data + 14));
            assertThat(file.tensor("first").elements()).isEqualTo(3);
            assertThat(file.tensor("none").toFloats()).isEmpty();
            assertThat(file.tensor("last").toFloats()).containsExactly(0f);
            assertThatThrownBy(() -> file.tensor("other"))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContainingAll(path.toString(), "missing tensor 'other'");
        }
    }

    @Test
    void aRangeOfATensorIsRead() {
        byte[] bytes =
                SafetensorsBytes.of(
                        "{"
                                + entry("a", "U8", "[2]", "[0,2]")
                                + ","
                                + entry("b", "U8", "[4]", "[2,6]")
                                + "}",
                        6);
        for (int i = 0; i < 6; i++) {
            bytes[bytes.length - 6 + i] = (byte) (10 + i);
        }
        Path path = SafetensorsBytes.write(folder.resolve("x.safetensors"), bytes);
        SafetensorsFile file = SafetensorsFile.open(path);
        StoredTensor tensor = file.tensor("b");
        ByteBuffer target = ByteBuffer.allocateDirect(8).position(3).limit(5);
        tensor.read(1, target);
        assertThat(target.position()).isEqualTo(5);
        assertThat(target.get(3)).isEqualTo((byte) 13);
        assertThat(target.get(4)).isEqualTo((byte) 14);
        assertThat(target.clear().get(5)).isZero();
        assertThatThrownBy(() -> tensor.read(3, ByteBuffer.allocate(2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("bytes 3 to 5", "'b'", "its 4");
        assertThatThrownBy(() -> tensor.read(-1, ByteBuffer.allocate(2)))
                .isInstanceOf(IllegalArgumentException.class);
        file.close();
        assertThatThrownBy(() -> tensor.read(0, ByteBuffer.allocate(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(path.toString(), "closed");
    }

    @Test
    void aFileInsideAnArchiveReadsTheSame() throws IOException {
        Path original = Path.of("tests/golden/gemma2/model.safetensors");
        URI archive = URI.create("jar:" + folder.resolve("model.zip").toUri());
        try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            Files.copy(original, zip.getPath("/model.safetensors"));
        }
        try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of());
                SafetensorsFile packed = SafetensorsFile.open(zip.getPath("/model.safetensors"));
                SafetensorsFile plain = SafetensorsFile.open(original)) {
            assertThat(packed.tensors().keySet())
                    .containsExactlyElementsOf(plain.tensors().keySet());
            // Against the order of the data, so that every read must seek.
            List<String> names = new ArrayList<>(plain.tensors().keySet());
            Collections.reverse(names);
            for (String name : names) {
                assertThat(packed.tensor(name).toFloats()).isEqualTo(plain.tensor(name).toFloats());
            }
        }
    }

    /** 64 GB of holes: reading them would exhaust the heap. */
    @Test
    void openingReadsTheHeaderAlone() throws IOException {
        long size = 1L << 36;
        Path path =
                SafetensorsBytes.write(
                        folder.resolve("sparse.safetensors"),
                        SafetensorsBytes.of(
                                "{" + entry("a", "U8", "[" + size + "]", "[0," + size + "]") + "}",
                                0));
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(file.length() + size);
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            StoredTensor tensor = file.tensor("a");
            assertThat(tensor.bytes()).isEqualTo(size);
            ByteBuffer last = ByteBuffer.allocate(4);
            tensor.read(size - 4, last);
            assertThat(last.array()).containsOnly(0);
        }
    }

    @Test
    void everyDTypeConvertsToFloats() {
        assertThat(floats(DType.F32, bytes(8).putFloat(1.5f).putFloat(-0x1p-149f)))
                .containsExactly(1.5f, -0x1p-149f);
        assertThat(floats(DType.BF16, bytes(4).putShort((short) 0xc0a0).putShort((short) 0x7f80)))
                .containsExactly(-5f, Float.POSITIVE_INFINITY);
        assertThat(floats(DType.F64, bytes(8).putDouble(0.1))).containsExactly(0.1f);
        assertThat(floats(DType.I32, bytes(8).putInt(-7).putInt(1 << 20)))
                .containsExactly(-7f, 0x1p20f);
        assertThat(floats(DType.I64, bytes(8).putLong(-(1L << 40)))).containsExactly(-0x1p40f);
        assertThat(floats(DType.U8, bytes(2).put((byte) 255).put((byte) 1)))
                .containsExactly(255f, 1f);
    }

    @Test
    void everyHalfConvertsToItsValue() {
        ByteBuffer halves = bytes(2 << 16);
        for (int bits = 0; bits < 1 << 16; bits++) {
            halves.putShort((short) bits);
        }
        float[] floats = floats(DType.F16, halves);
        for (int bits = 0; bits < 1 << 16; bits++) {
            assertThat(Float.compare(floats[bits], half(bits))).as("half 0x%04x", bits).isZero();
        }
    }

    private static float half(int bits) {
        double sign = bits < 0x8000 ? 1 : -1;
        int exponent = bits >> 10 & 31;
        double fraction = (bits & 1023) / 1024.0;
        if (exponent == 31) {
            return fraction == 0 ? (float) (sign * Double.POSITIVE_INFINITY) : Float.NaN;
        }
        double magnitude =
                exponent == 0 ? Math.scalb(fraction, -14) : Math.scalb(1 + fraction, exponent - 15);
        return (float) (sign * magnitude);
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    }

    private float[] floats(DType dtype, ByteBuffer data) {
        int elements = data.capacity() / dtype.bytes();
        String header =
                "{"
                        + entry(
                                "x",
                                dtype.name(),
                                "[" + elements + "]",
                                "[0," + data.capacity() + "]")
                        + "}";
        byte[] bytes = SafetensorsBytes.of(header, data.capacity());
        System.arraycopy(data.array(), 0, bytes, bytes.length - data.capacity(), data.capacity());
        try (SafetensorsFile file =
                SafetensorsFile.open(
                        SafetensorsBytes.write(folder.resolve("x.safetensors"), bytes))) {
            return file.tensor("x").toFloats();
        }
    }
}
