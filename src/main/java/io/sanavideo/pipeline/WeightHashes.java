package io.sanavideo.pipeline;

import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.ContentHash;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which weights a clip was made with. */
final class WeightHashes {
    private WeightHashes() {}

    /** SHA-256 of each component's weights, by the component's name; reads every file whole. */
    static Map<String, String> of(ModelFolder folder) {
        Map<String, String> hashes = new LinkedHashMap<>();
        for (Path component : folder.weights()) {
            try (Checkpoint checkpoint = Checkpoint.open(component)) {
                hashes.put(component.getFileName().toString(), ContentHash.of(checkpoint));
            }
        }
        return hashes;
    }
}
