package io.sanavideo.cli;

import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/** A copy of a folder, to be altered. */
record FolderCopy(Path folder) {
    static FolderCopy of(Path original, Path copy) throws IOException {
        try (Stream<Path> files = Files.walk(original)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, copy.resolve(original.relativize(file).toString()));
            }
        }
        return new FolderCopy(copy);
    }

    FolderCopy add(Path file) throws IOException {
        Files.copy(file, folder.resolve(file.getFileName()));
        return this;
    }

    FolderCopy delete(String file) throws IOException {
        Files.delete(folder.resolve(file));
        return this;
    }

    FolderCopy write(String file, String text) throws IOException {
        Files.writeString(folder.resolve(file), text);
        return this;
    }

    FolderCopy truncate(String file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(folder.resolve(file), StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() - 1);
        }
        return this;
    }

    /** Sets elements of a tensor in golden.safetensors, counted from its last one, to 0.75. */
    FolderCopy alter(String tensor, int count) throws IOException {
        return alter("golden.safetensors", tensor, count);
    }

    /** As the other, in a file of vectors by another name. */
    FolderCopy alter(String name, String tensor, int count) throws IOException {
        Path file = folder.resolve(name);
        long end;
        try (SafetensorsFile golden = SafetensorsFile.open(file)) {
            StoredTensor stored = golden.tensor(tensor);
            end = stored.end();
        }
        ByteBuffer bytes = ByteBuffer.allocate(count * 4).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            bytes.putFloat(0.75f);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(bytes.flip(), end - bytes.limit());
        }
        return this;
    }

    /** Renames a tensor in golden.safetensors, to a name of the same length. */
    FolderCopy rename(String tensor, String other) throws IOException {
        Path file = folder.resolve("golden.safetensors");
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        String renamed = bytes.replace('"' + tensor + '"', '"' + other + '"');
        Files.writeString(file, renamed, StandardCharsets.ISO_8859_1);
        return this;
    }

    @Override
    public String toString() {
        return folder.toString();
    }
}
