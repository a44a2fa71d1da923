package io.sanavideo;

import io.sanavideo.media.ClipMetadata;
import io.sanavideo.pipeline.FileSink;
import io.sanavideo.pipeline.Recipe;
import io.sanavideo.runtime.Native;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A clip's file with the recipe that made it.
 *
 * @param file a .mp4, a .gif, or a folder of .png, as this project writes them
 * @param recipe all that made it
 * @param frameHash SHA-256 chain over its frames as they were before they were encoded, 64
 *     hexadecimal digits
 */
public record RecordedClip(Path file, Recipe recipe, String frameHash) {
    private static final String HASH = "[0-9a-f]{64}";

    public RecordedClip {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(recipe, "recipe");
        Objects.requireNonNull(frameHash, "frameHash");
    }

    /**
     * Reads recipe and hash; the frames are not decoded.
     *
     * @throws ModelFormatException when the file cannot be read, holds no recipe or no hash, or a
     *     recipe that this version does not read
     */
    public static RecordedClip read(Path file) {
        Map<String, String> metadata = ClipMetadata.read(file);
        String recipe = metadata.get(FileSink.RECIPE);
        if (recipe == null) {
            throw new ModelFormatException(
                    "%s: holds no recipe, expected a clip as generate wrote it: what other tools write, or encode and decode, has none"
                            .formatted(file));
        }
        String hash = metadata.get(FileSink.FRAME_HASH);
        if (hash == null || !hash.matches(HASH)) {
            throw new ModelFormatException(
                    "%s: %s is %s, expected 64 hexadecimal digits: without it there is nothing to compare with"
                            .formatted(
                                    file,
                                    FileSink.FRAME_HASH,
                                    hash == null ? "missing" : "'" + hash + "'"));
        }
        try {
            return new RecordedClip(file, Recipe.read(recipe), hash);
        } catch (ModelFormatException e) {
            throw new ModelFormatException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * The variant of the CPU kernels that made it, where this processor has it and this process
     * runs on another: with the environment variable {@code SANA_ISA} set to it, a process runs on
     * it. Empty where that would change nothing, and where {@code SANA_ISA} is set already.
     *
     * @param device that it is to be made on
     */
    public Optional<String> otherVariant(Device device) {
        boolean onCpu =
                device.kind() == Device.Kind.CPU && recipe.device().kind() == Device.Kind.CPU;
        return onCpu && Native.couldBe(recipe.cpuVariant())
                ? Optional.of(recipe.cpuVariant())
                : Optional.empty();
    }
}
