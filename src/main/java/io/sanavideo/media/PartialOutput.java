package io.sanavideo.media;

import io.sanavideo.DoesNotFitException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A file or folder that is still being made: it lies under a temporary name beside its target, and
 * takes the target's name in one step or disappears.
 */
final class PartialOutput implements AutoCloseable {
    private static final List<Integer> NO_ROOM =
            List.of(FFmpeg.NO_SPACE, FFmpeg.OVER_QUOTA, FFmpeg.FILE_TOO_LARGE, FFmpeg.NO_MEMORY);

    private final Path target;
    private final Path path;

    /** An output at {@code path}, which exists, that is to become {@code target}. */
    PartialOutput(Path target, Path path) {
        this.target = target;
        this.path = path;
    }

    /**
     * Creates the temporary file.
     *
     * @throws IllegalArgumentException if the target cannot be made
     */
    static PartialOutput file(Path target) {
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new IllegalArgumentException(
                    "cannot write %s: it is there and is not an ordinary file".formatted(target));
        }
        return create(target, Files::createFile);
    }

    /**
     * Creates the temporary file of a target whose name is to end so.
     *
     * @param extension with its point, in lower case
     * @throws IllegalArgumentException if the name does not or the target cannot be made
     */
    static PartialOutput file(Path target, String extension) {
        String name = target.toAbsolutePath().normalize().getFileName() + "";
        if (!name.toLowerCase(Locale.ROOT).endsWith(extension)) {
            throw new IllegalArgumentException(
                    "cannot write %s: its name must end in %s".formatted(target, extension));
        }
        return file(target);
    }

    /**
     * Creates the temporary folder.
     *
     * @throws IllegalArgumentException if the target cannot be made, or is a folder that is not
     *     empty
     */
    static PartialOutput folder(Path target) {
        if (Files.exists(target) && !isEmptyFolder(target)) {
            throw new IllegalArgumentException(
                    "cannot write a folder of images to %s: it is there and is not an empty folder; empty it or give another name"
                            .formatted(target));
        }
        return create(target, Files::createDirectory);
    }

    private interface Creation {
        Path create(Path path) throws IOException;
    }

    private static PartialOutput create(Path target, Creation creation) {
        Path absolute = target.toAbsolutePath().normalize();
        Path folder = absolute.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IllegalArgumentException(
                    "cannot write %s: %s is not a folder; create it first"
                            .formatted(target, folder == null ? absolute : folder));
        }
        long random = ThreadLocalRandom.current().nextLong();
        Path path = folder.resolve(".%s.%016x.part".formatted(absolute.getFileName(), random));
        try {
            return new PartialOutput(target, creation.create(path));
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "cannot write %s: nothing can be created in the folder %s (%s)"
                            .formatted(target, folder, e),
                    e);
        }
    }

    private static boolean isEmptyFolder(Path folder) {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot look into the folder " + folder, e);
        }
    }

    Path target() {
        return target;
    }

    /** Where to write for now. */
    Path path() {
        return path;
    }

    /** Gives the output its asked name, in place of a file that has it. */
    void commit() {
        try {
            Files.move(path, target.toAbsolutePath(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Removes what is left under the temporary name: nothing after {@link #commit}. */
    @Override
    public void close() {
        try {
            if (Files.isDirectory(path)) {
                List<Path> files;
                try (Stream<Path> entries = Files.list(path)) {
                    files = entries.toList();
                }
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove the unfinished output " + path, e);
        }
    }

    /** The exception for a failed write. */
    RuntimeException failure(IOException cause) {
        String words = String.valueOf(cause.getMessage());
        // Java has no exception type for a full disk: only the system's words tell, in its
        // language.
        boolean noRoom = NO_ROOM.stream().anyMatch(code -> words.contains(FFmpeg.message(code)));
        if (noRoom) {
            return new DoesNotFitException(
                    "cannot write %s: there is no room for it (%s); free some or write elsewhere"
                            .formatted(target, words),
                    cause);
        }
        return new UncheckedIOException("cannot write " + target + ": " + words, cause);
    }
}
