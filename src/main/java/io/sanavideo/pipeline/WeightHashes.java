package io.sanavideo.pipeline;

import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.ContentHash;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Which weights a clip is made with: SHA-256 of each component's, by the component's name, and of
 * the files beside them. Every file is read whole, beside what else is done.
 */
final class WeightHashes {
    private final Map<String, CompletableFuture<String>> hashes = new LinkedHashMap<>();
    private final CompletableFuture<String> configuration;

    WeightHashes(ModelFolder folder) {
        for (Path component : folder.weights()) {
            hashes.put(
                    component.getFileName().toString(),
                    CompletableFuture.supplyAsync(() -> hash(component), Background::start));
        }
        configuration =
                CompletableFuture.supplyAsync(
                        () -> ContentHash.of(folder.configurations()), Background::start);
    }

    private static String hash(Path component) {
        try (Checkpoint checkpoint = Checkpoint.open(component)) {
            return ContentHash.of(checkpoint);
        }
    }

    /** Of the transformer; waits for it. */
    String transformer() {
        return Background.result(hashes.get("transformer"));
    }

    /** Of {@link ModelFolder#configurations()}; waits for it. */
    String configuration() {
        return Background.result(configuration);
    }

    /** Of all weights; waits for them. */
    Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        hashes.forEach((component, hash) -> all.put(component, Background.result(hash)));
        return all;
    }
}
