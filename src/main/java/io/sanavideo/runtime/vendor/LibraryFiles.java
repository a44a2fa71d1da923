package io.sanavideo.runtime.vendor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds a library's files where a dynamic loader does not look: in the folder that the property
 * {@code sanavideo.libraries} or else the variable {@code SANA_LIBRARIES} names, at any depth to
 * {@value #DEPTH} (the site-packages of a PyTorch, say), and in a CUDA toolkit ({@code CUDA_HOME},
 * {@code CUDA_PATH}, /usr/local/cuda). What is not there is left to the loader, which knows {@code
 * LD_LIBRARY_PATH}, the system's own folders, and redist jars on the class path.
 */
final class LibraryFiles {
    private static final int DEPTH = 5;

    private LibraryFiles() {}

    /**
     * Loads those of these files that are found, in their order.
     *
     * @throws LinkageError when one of them is there and cannot be loaded
     */
    static void load(List<String> names) {
        List<Path> folders = folders();
        for (String name : names) {
            folders.stream()
                    .map(folder -> find(folder, name))
                    .flatMap(Optional::stream)
                    .findFirst()
                    .ifPresent(file -> System.load(file.toString()));
        }
    }

    private static List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        String named = System.getProperty("sanavideo.libraries", System.getenv("SANA_LIBRARIES"));
        if (named != null && !named.isBlank()) {
            folders.add(Path.of(named));
        }
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            String toolkit = System.getenv(variable);
            if (toolkit != null && !toolkit.isBlank()) {
                folders.add(Path.of(toolkit, "lib64"));
            }
        }
        folders.add(Path.of("/usr/local/cuda/lib64"));
        return folders.stream().map(Path::toAbsolutePath).filter(Files::isDirectory).toList();
    }

    private static Optional<Path> find(Path folder, String name) {
        try (Stream<Path> files =
                Files.find(
                        folder,
                        DEPTH,
                        (path, attributes) -> path.getFileName().toString().equals(name))) {
            return files.sorted().findFirst();
        } catch (IOException e) {
            // A folder that may not be read has nothing to offer.
            return Optional.empty();
        }
    }
}
