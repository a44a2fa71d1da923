package io.sanavideo.inspect;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ModelFormatException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is in a file or folder. */
public interface Inspection {
    /** For a program. */
    ObjectNode json();

    /** For a person: lines of text. */
    String text();

    /**
     * Looks at a safetensors file, a LoRA, a component folder, a model folder or a video file.
     *
     * @throws ModelFormatException when it is none of these or is broken
     */
    static Inspection of(Path path) {
        if (Files.isDirectory(path)) {
            return Files.exists(path.resolve(ModelInspection.INDEX))
                    ? ModelInspection.of(path)
                    : ComponentInspection.of(path);
        }
        if (!Files.exists(path)) {
            throw new ModelFormatException(
                    path + ": does not exist, expected a safetensors or video file, or a folder");
        }
        return path.toString().endsWith(".safetensors")
                ? TensorFileInspection.of(path)
                : ClipInspection.of(path);
    }
}
