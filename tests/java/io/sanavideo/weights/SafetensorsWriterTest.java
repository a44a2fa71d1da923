package io.sanavideo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.DoesNotFitException;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.SafetensorsWriter.Entry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsWriterTest {
    private static final List<Entry> ENTRIES =
            List.of(
                    new Entry("matrix \"\u00e9\"", DType.F32, List.of(2L, 2L)),
                    new Entry("none", DType.BF16, List.of(3L, 0L)),
                    new Entry("scalar", DType.U8, List.of()),
                    new Entry("unaligned", DType.I64, List.of(1L)));
    private static final int BYTES = 16 + 1 + 8;

    @TempDir Path folder;

    private Path target() {
        return folder.resolve("x.safetensors");
    }

    private static ByteBuffer data() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(1)
                .putFloat(-2)
                .putFloat(3.5f)
                .putFloat(Float.MIN_VALUE)
                .put((byte) 200)
                .putLong(-9)
                .flip();
    }

    private List<Path> left() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, BYTES})
    void whatWasWrittenIsReadBack(int blockBytes) throws IOException {
        try (SafetensorsWriter writer =
                new SafetensorsWriter(target(), Map.of("seed", "7"), ENTRIES)) {
            for (ByteBuffer data = data(); data.hasRemaining(); ) {
                int count = Math.min(blockBytes, data.remaining());
                writer.write(data.slice(data.position(), count));
                data.position(data.position() + count);
            }
            assertThat(target()).doesNotExist();
        }
        assertThat(left()).containsExactly(target());
        try (SafetensorsFile file = SafetensorsFile.open(target())) {
            assertThat(file.metadata()).containsExactly(Map.entry("seed", "7"));
            assertThat(file.tensors().values())
                    .extracting(tensor -> new Entry(tensor.name(), tensor.dtype(), tensor.shape()))
                    .containsExactlyElementsOf(ENTRIES);
            assertThat(file.tensor("matrix \"\u00e9\"").begin() % 8).isZero();
            assertThat(file.tensor("matrix \"\u00e9\"").toFloats())
                    .containsExactly(1, -2, 3.5f, Float.MIN_VALUE);
            assertThat(file.tensor("none").toFloats()).isEmpty();
            assertThat(file.tensor("scalar").toFloats()).containsExactly(200);
            assertThat(file.tensor("unaligned").toFloats()).containsExactly(-9);
        }
    }

    @Test
    void anExistingFileIsReplacedOnCommitOnly() throws IOException {
        Files.writeString(target(), "before");
        try (SafetensorsWriter writer = new SafetensorsWriter(target(), Map.of(), ENTRIES)) {
            assertThat(target()).hasContent("before");
            writer.write(data());
        }
        SafetensorsFile.open(target()).close();
    }

    @Test
    void aFileOfNoTensorsIsValid() {
        new SafetensorsWriter(target(), Map.of(), List.of()).close();
        try (SafetensorsFile file = SafetensorsFile.open(target())) {
            assertThat(file.tensors()).isEmpty();
        }
    }

    @Test
    void closingTooEarlyLeavesNothing() throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter(target(), Map.of(), ENTRIES);
        writer.write(data().limit(BYTES - 1));
        assertThat(left()).hasSize(1).doesNotContain(target());
        assertThatThrownBy(writer::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(target().toString(), "24 of 25 bytes");
        assertThat(left()).isEmpty();
        writer.close();
        assertThatThrownBy(() -> writer.write(data())).isInstanceOf(IllegalStateException.class);
        assertThat(left()).isEmpty();
    }

    @Test
    void moreBytesThanDeclaredAreRefused() throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter(target(), Map.of(), ENTRIES);
        writer.write(data().limit(20));
        assertThatThrownBy(() -> writer.write(ByteBuffer.allocate(6)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("6 bytes after 20", "hold 25");
        writer.write(ByteBuffer.allocate(5));
        writer.close();
        assertThat(left()).containsExactly(target());
    }

    /** Takes some bytes into a file, then fails as the channel beyond fails. */
    private record LimitedDisk(FileChannel file, long capacity, FileChannel beyond)
            implements WritableByteChannel {
        @Override
        public int write(ByteBuffer bytes) throws IOException {
            boolean fits = file.position() + bytes.remaining() <= capacity;
            return (fits ? file : beyond).write(bytes);
        }

        @Override
        public boolean isOpen() {
            return file.isOpen();
        }

        @Override
        public void close() throws IOException {
            file.close();
            beyond.close();
        }
    }

    private SafetensorsWriter onDisk(long capacity, FileChannel beyond) {
        SafetensorsWriter.Output disk =
                path ->
                        new LimitedDisk(
                                FileChannel.open(
                                        path,
                                        StandardOpenOption.CREATE_NEW,
                                        StandardOpenOption.WRITE),
                                capacity,
                                beyond);
        return new SafetensorsWriter(target(), Map.of(), ENTRIES, disk);
    }

    /** The device that Linux has for this purpose: every write to it finds no space left. */
    private static FileChannel fullDevice() throws IOException {
        return FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE);
    }

    private long headerBytes() throws IOException {
        try (SafetensorsWriter writer = new SafetensorsWriter(target(), Map.of(), ENTRIES)) {
            writer.write(data());
        }
        long bytes = Files.size(target()) - BYTES;
        Files.delete(target());
        return bytes;
    }

    @Test
    void aDiskWithoutRoomForTheHeaderLeavesNothing() throws IOException {
        FileChannel full = fullDevice();
        assertThatThrownBy(() -> onDisk(10, full))
                .isExactlyInstanceOf(DoesNotFitException.class)
                .hasMessageContainingAll(target().toString(), "disk is full", "25 bytes");
        assertThat(left()).isEmpty();
    }

    @Test
    void aDiskThatFillsUpLeavesNothing() throws IOException {
        SafetensorsWriter writer = onDisk(headerBytes() + 20, fullDevice());
        writer.write(data().limit(20));
        assertThat(left()).hasSize(1).doesNotContain(target());
        assertThatThrownBy(() -> writer.write(data().position(20)))
                .isExactlyInstanceOf(DoesNotFitException.class)
                .hasMessageContainingAll(target().toString(), "disk is full");
        writer.close();
        assertThat(left()).isEmpty();
    }

    @Test
    void anyOtherFailureOfTheDiskLeavesNothing() throws IOException {
        FileChannel broken = fullDevice();
        broken.close();
        SafetensorsWriter writer = onDisk(headerBytes(), broken);
        assertThatThrownBy(() -> writer.write(data()))
                .isExactlyInstanceOf(UncheckedIOException.class)
                .hasMessageContainingAll(target().toString(), "was not written");
        writer.close();
        assertThat(left()).isEmpty();
    }

    @Test
    void wrongDeclarationsAreRefused() throws IOException {
        refused(new Entry("a", DType.F32, List.of(-1L)), "'a'", "[-1]", "from 0");
        refused(new Entry("a", DType.F64, List.of(1L << 60)), "'a'", "64 bits");
        refused(new Entry("none", DType.F32, List.of(1L)), "'none'", "declared twice");
        refused(new Entry("__metadata__", DType.F32, List.of(1L)), "'__metadata__'", "reserved");
        refused(new Entry("\ud800", DType.F32, List.of(1L)), "Unicode");
        assertThat(left()).isEmpty();
    }

    private void refused(Entry entry, String... words) {
        List<Entry> entries = Stream.concat(ENTRIES.stream(), Stream.of(entry)).toList();
        assertThatThrownBy(() -> new SafetensorsWriter(target(), Map.of(), entries))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(words);
    }

    @Test
    void aTargetThatCannotBeWrittenIsRefused() {
        assertThatThrownBy(() -> new SafetensorsWriter(folder, Map.of(), ENTRIES))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(folder.toString(), "is a folder");
        assertThatThrownBy(
                        () ->
                                new SafetensorsWriter(
                                        folder.resolve("none/x.safetensors"), Map.of(), ENTRIES))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("none/x.safetensors", "cannot be created");
    }
}
