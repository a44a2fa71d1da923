package io.sanavideo.weights;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.runtime.DType;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes a safetensors file as a stream: all tensors are declared first, then the bytes of each
 * follow in that order. Everything goes to a temporary name beside the target; {@link #close}
 * renames it when every declared byte was written and deletes it otherwise, so that the asked name
 * never holds half a file. Not safe for use by several threads.
 */
public final class SafetensorsWriter implements AutoCloseable {
    /**
     * A tensor to be written: its bytes are row-major and little-endian; an empty shape is a
     * scalar.
     */
    public record Entry(String name, DType dtype, List<Long> shape) {
        public Entry {
            shape = List.copyOf(shape);
        }
    }

    /** Creates the temporary file; another one stands in where a test needs a disk that is full. */
    @FunctionalInterface
    interface Output {
        WritableByteChannel create(Path path) throws IOException;
    }

    private final Path path;
    private final Path temporary;
    private final WritableByteChannel channel;
    private final long dataBytes;
    private long written;
    private boolean closed;

    /**
     * Creates the temporary file and writes the header to it.
     *
     * @param path the file to be; its folder must exist, a file of that name is replaced on close
     * @param metadata texts beside the tensors
     * @param entries the tensors, in the order in which their bytes will be written
     * @throws IllegalArgumentException when a tensor is declared twice, has a negative or
     *     uncountable shape, or the file cannot be created
     * @throws DoesNotFitException when the disk is full
     */
    public SafetensorsWriter(Path path, Map<String, String> metadata, List<Entry> entries) {
        this(
                path,
                metadata,
                entries,
                file ->
                        Files.newByteChannel(
                                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    }

    SafetensorsWriter(Path path, Map<String, String> metadata, List<Entry> entries, Output output) {
        ByteBuffer header = header(metadata, entries);
        this.path = path.toAbsolutePath();
        if (Files.isDirectory(path)) {
            throw new IllegalArgumentException(path + " is a folder, expected a file to write");
        }
        dataBytes = dataBytes(entries);
        String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
        temporary = this.path.resolveSibling(".safetensors-" + random + ".part");
        try {
            channel = output.create(temporary);
        } catch (IOException e) {
            throw new IllegalArgumentException(path + ": cannot be created: " + e, e);
        }
        writeFully(header);
    }

    /**
     * Appends bytes; one call may hold a part of a tensor or several tensors.
     *
     * @param bytes written from its position to its limit
     * @throws IllegalArgumentException when they are more than the declared tensors hold
     * @throws DoesNotFitException when the disk is full; the temporary file is then gone
     * @throws UncheckedIOException when writing fails otherwise; the temporary file is then gone
     * @throws IllegalStateException when the writer is closed
     */
    public void write(ByteBuffer bytes) {
        if (closed) {
            throw new IllegalStateException("the writer of " + path + " is closed");
        }
        if (bytes.remaining() > dataBytes - written) {
            throw new IllegalArgumentException(
                    "%d bytes after %d, but the declared tensors of %s hold %d"
                            .formatted(bytes.remaining(), written, path, dataBytes));
        }
        written += bytes.remaining();
        writeFully(bytes);
    }

    /**
     * Commits the file when every declared byte was written, else deletes what was. Does nothing
     * when called again or after a failed write.
     *
     * @throws IllegalStateException when bytes are missing
     * @throws DoesNotFitException when the disk turns out to be full
     * @throws UncheckedIOException when the file cannot be given its name
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        if (written < dataBytes) {
            abort();
            throw new IllegalStateException(
                    "%s was not written: closed after %d of %d bytes"
                            .formatted(path, written, dataBytes));
        }
        closed = true;
        try {
            channel.close();
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            abort();
            throw failure(e, 0);
        }
    }

    private void writeFully(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            RuntimeException failure = failure(e, bytes.remaining());
            abort();
            throw failure;
        }
    }

    private void abort() {
        closed = true;
        try (channel) {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            // What led here is being reported; a file that cannot be deleted bears a temporary
            // name.
        }
    }

    /**
     * The system's text for a full disk follows the user's language, so free space is asked as
     * well.
     */
    private RuntimeException failure(IOException cause, long bytes) {
        boolean full = String.valueOf(cause.getMessage()).contains("No space left");
        try {
            full |= Files.getFileStore(temporary).getUsableSpace() < bytes;
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        if (full) {
            return new DoesNotFitException(
                    "%s was not written: the disk is full, and its tensors have %d bytes; free some space or choose another folder"
                            .formatted(path, dataBytes),
                    cause);
        }
        return new UncheckedIOException(path + " was not written: " + cause, cause);
    }

    private static long dataBytes(List<Entry> entries) {
        long total = 0;
        for (Entry entry : entries) {
            total += SafetensorsHeader.bytes(entry.dtype(), entry.shape());
        }
        return total;
    }

    private static ByteBuffer header(Map<String, String> metadata, List<Entry> entries) {
        StringWriter json = new StringWriter();
        try (JsonGenerator generator = new JsonFactory().createGenerator(json)) {
            generator.writeStartObject();
            if (!metadata.isEmpty()) {
                generator.writeObjectFieldStart(SafetensorsHeader.METADATA);
                for (Map.Entry<String, String> text : metadata.entrySet()) {
                    generator.writeStringField(text.getKey(), text.getValue());
                }
                generator.writeEndObject();
            }
            Set<String> names = new HashSet<>(Set.of(SafetensorsHeader.METADATA));
            long position = 0;
            for (Entry entry : entries) {
                if (!names.add(entry.name())) {
                    throw new IllegalArgumentException(
                            "tensor '" + entry.name() + "' is declared twice or reserved");
                }
                position = writeEntry(generator, entry, position);
            }
            generator.writeEndObject();
            generator.flush();
            return padded(UTF_8.newEncoder().encode(CharBuffer.wrap(json.getBuffer())));
        } catch (IOException e) {
            throw new IllegalArgumentException("a name or text that is not valid Unicode", e);
        }
    }

    private static long writeEntry(JsonGenerator generator, Entry entry, long begin)
            throws IOException {
        if (entry.shape().stream().anyMatch(dimension -> dimension < 0)) {
            throw new IllegalArgumentException(
                    "tensor '%s' has shape %s, expected dimensions from 0"
                            .formatted(entry.name(), entry.shape()));
        }
        long end;
        try {
            end = Math.addExact(begin, SafetensorsHeader.bytes(entry.dtype(), entry.shape()));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "tensor '%s' of shape %s: more bytes than 64 bits can count"
                            .formatted(entry.name(), entry.shape()));
        }
        generator.writeObjectFieldStart(entry.name());
        generator.writeStringField("dtype", entry.dtype().name());
        writeArray(generator, "shape", entry.shape());
        writeArray(generator, "data_offsets", List.of(begin, end));
        generator.writeEndObject();
        return end;
    }

    private static void writeArray(JsonGenerator generator, String key, List<Long> values)
            throws IOException {
        generator.writeArrayFieldStart(key);
        for (long value : values) {
            generator.writeNumber(value);
        }
        generator.writeEndArray();
    }

    /**
     * The header with its length before it and spaces behind it, so that data begins at a multiple
     * of 8.
     */
    private static ByteBuffer padded(ByteBuffer json) {
        int length = (json.remaining() + 7) / 8 * 8;
        ByteBuffer header =
                ByteBuffer.allocate(SafetensorsHeader.PREFIX_BYTES + length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(length)
                        .put(json);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }
}
