package io.sanavideo.runtime;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A small JSON file of what was measured on this machine, in the folder that {@code SANA_CACHE}
 * names, or {@code sana-video} in the user's cache folder; {@code SANA_CACHE=off} keeps nothing. A
 * file that cannot be read or written is done without.
 */
public final class CacheFile {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path file;

    /**
     * @param name of the file in the folder
     */
    public CacheFile(String name) {
        Path folder = folder();
        file = folder == null ? null : folder.resolve(name);
    }

    private static Path folder() {
        String named = System.getenv("SANA_CACHE");
        if (named != null) {
            return named.equals("off") ? null : Path.of(named);
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        Path root =
                cache != null && !cache.isEmpty()
                        ? Path.of(cache)
                        : Path.of(System.getProperty("user.home"), ".cache");
        return root.resolve("sana-video");
    }

    /** What the file holds; an empty object where there is none. */
    public ObjectNode read() {
        try {
            if (file != null
                    && Files.isRegularFile(file)
                    && MAPPER.readTree(file.toFile()) instanceof ObjectNode known) {
                return known;
            }
        } catch (IOException e) {
            // As if nothing had been measured: the next measurement writes the file anew.
        }
        return MAPPER.createObjectNode();
    }

    /** Takes the place of what the file held, at once or not at all. */
    public void write(ObjectNode all) {
        if (file == null) {
            return;
        }
        try {
            Files.createDirectories(file.getParent());
            Path fresh = Files.createTempFile(file.getParent(), file.getFileName() + "", ".new");
            MAPPER.writerWithDefaultPrettyPrinter().writeValue(fresh.toFile(), all);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // A home that cannot be written to must not end a generation that is complete.
        }
    }
}
