package io.sanavideo.weights;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A safetensors file: a JSON header that says where each tensor lies, then their bytes. Opening
 * reads and checks the header alone; tensors are read on demand by position. The file is not mapped
 * into memory, so that one which shrinks or fails later ends in an exception, not in a signal. Safe
 * for use by several threads.
 *
 * <p>Stricter than the format asks for: a header may have at most 100,000,000 bytes, 100,000
 * tensors and 8 dimensions a tensor; nothing may stand twice, be unknown, leave a hole, overlap or
 * follow the last tensor. Every violation is a {@link ModelFormatException} naming file, tensor and
 * byte offset.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">The format</a>
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final int READ_BYTES = 1 << 20;

    private final Path path;
    private final SeekableByteChannel channel;
    private final Map<String, String> metadata;
    private final Map<String, StoredTensor> tensors;

    private SafetensorsFile(Path path, SeekableByteChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        long fileBytes = channel.size();
        SafetensorsHeader header = readHeader(fileBytes);
        Map<String, StoredTensor> found = new LinkedHashMap<>();
        for (SafetensorsHeader.Entry entry : header.entries()) {
            found.put(
                    entry.name(),
                    new StoredTensor(
                            this,
                            entry.name(),
                            entry.dtype(),
                            entry.shape(),
                            entry.begin(),
                            entry.end()));
        }
        metadata = Collections.unmodifiableMap(header.metadata());
        tensors = Collections.unmodifiableMap(found);
    }

    /**
     * Opens a file and reads its header.
     *
     * @param path on any file system that has seekable channels
     * @throws ModelFormatException when the file is missing, unreadable or not as the format says
     */
    public static SafetensorsFile open(Path path) {
        if (!Files.isRegularFile(path)) {
            String found = Files.exists(path) ? "is not a regular file" : "does not exist";
            throw new ModelFormatException(path + ": " + found + ", expected a safetensors file");
        }
        try {
            SeekableByteChannel channel = Files.newByteChannel(path);
            try {
                return new SafetensorsFile(path, channel);
            } catch (Throwable e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new ModelFormatException(path + ": cannot be read: " + e, e);
        }
    }

    public Path path() {
        return path;
    }

    /**
     * The texts that stand beside the tensors, in the header's order; empty when there are none.
     */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** All tensors by name, in the order of their data. */
    public Map<String, StoredTensor> tensors() {
        return tensors;
    }

    /**
     * The tensor of this name.
     *
     * @throws ModelFormatException when there is none
     */
    public StoredTensor tensor(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new ModelFormatException(
                    "%s: missing tensor '%s' among %d".formatted(path, name, tensors.size()));
        }
        return tensor;
    }

    /** Closes the file; its tensors can no longer be read. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new ModelFormatException(path + ": cannot be closed: " + e, e);
        }
    }

    /**
     * Fills target from a byte of the file on; the tensor is named in exceptions and may be null.
     */
    void read(String tensor, long position, ByteBuffer target) {
        if (!channel.isOpen()) {
            throw new IllegalStateException(path + " is closed");
        }
        long at = position;
        int limit = target.limit();
        try {
            while (target.position() < limit) {
                // In pieces: for a heap buffer the JDK keeps a direct buffer of the size of one
                // read.
                target.limit(Math.min(limit, target.position() + READ_BYTES));
                int count = readAt(at, target);
                if (count < 0) {
                    throw SafetensorsHeader.fault(
                            path,
                            tensor,
                            at,
                            "the file ends here, expected %d bytes more: it has shrunk since it was opened"
                                    .formatted(limit - target.position()));
                }
                at += count;
            }
        } catch (IOException e) {
            throw new ModelFormatException(
                    SafetensorsHeader.describe(path, tensor, at, "cannot be read: " + e), e);
        } finally {
            target.limit(limit);
        }
    }

    private int readAt(long position, ByteBuffer target) throws IOException {
        if (channel instanceof FileChannel file) {
            return file.read(target, position);
        }
        synchronized (channel) {
            return channel.position(position).read(target);
        }
    }

    private SafetensorsHeader readHeader(long fileBytes) {
        if (fileBytes < SafetensorsHeader.PREFIX_BYTES) {
            throw SafetensorsHeader.fault(
                    path,
                    null,
                    fileBytes,
                    "the file has %d bytes, expected at least the 8 of the header's length"
                            .formatted(fileBytes));
        }
        ByteBuffer prefix =
                ByteBuffer.allocate(SafetensorsHeader.PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        read(null, 0, prefix);
        long length = prefix.getLong(0);
        long most =
                Math.min(SafetensorsHeader.MAX_BYTES, fileBytes - SafetensorsHeader.PREFIX_BYTES);
        if (length < 0 || length > most) {
            throw SafetensorsHeader.fault(
                    path,
                    null,
                    0,
                    "header length is %s, expected at most %d in a file of %d bytes"
                            .formatted(Long.toUnsignedString(length), most, fileBytes));
        }
        byte[] json = new byte[(int) length];
        read(null, SafetensorsHeader.PREFIX_BYTES, ByteBuffer.wrap(json));
        return SafetensorsHeader.parse(path, json, fileBytes);
    }
}
