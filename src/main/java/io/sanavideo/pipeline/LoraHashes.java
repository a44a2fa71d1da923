package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.weights.ContentHash;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Which LoRAs a clip is made with. Their files are read beside what else is done. */
final class LoraHashes {
    static final String LORAS = "loras";
    static final String MODE = "lora_mode";

    private static final String FILE = "file";
    private static final String HASH = "sha256";
    private static final String SCALE = "scale";

    private final ModelFolder folder;
    private final List<CompletableFuture<String>> hashes = new ArrayList<>();

    LoraHashes(ModelFolder folder) {
        this.folder = folder;
        for (Lora lora : folder.loras()) {
            hashes.add(
                    CompletableFuture.supplyAsync(
                            () -> ContentHash.of(lora.file()), Background::start));
        }
    }

    /** Adds names, hashes and scales to a recipe, in the order in which they were given. */
    void describe(ObjectNode recipe) {
        if (hashes.isEmpty()) {
            return;
        }
        ArrayNode loras = recipe.putArray(LORAS);
        for (int i = 0; i < hashes.size(); i++) {
            Lora lora = folder.loras().get(i);
            loras.addObject()
                    .put(FILE, lora.file().getFileName().toString())
                    .put(HASH, Background.result(hashes.get(i)))
                    .put(SCALE, lora.scale());
        }
        recipe.put(MODE, folder.loraMode().label());
    }

    /**
     * @throws io.sanavideo.ModelFormatException when a recipe does not name them as {@link
     *     #describe} does
     */
    static void require(Json recipe) {
        for (Json lora : described(recipe)) {
            lora.requiredText(FILE);
            lora.requiredText(HASH);
            lora.requiredDouble(SCALE);
        }
        mode(recipe);
    }

    private static List<Json> described(Json recipe) {
        return recipe.has(LORAS) ? recipe.requiredObjects(LORAS) : List.of();
    }

    static LoraMode mode(Json recipe) {
        return recipe.has(LORAS) ? LoraMode.parse(recipe.requiredText(MODE)) : LoraMode.MERGE;
    }

    /**
     * The LoRAs of a recipe, in its order and with its scales.
     *
     * @param given their files, in any order
     * @throws IllegalArgumentException when one is missing, or another is there
     */
    static List<Lora> matching(Json recipe, List<Lora> given) {
        Map<String, Path> files = new LinkedHashMap<>();
        given.forEach(lora -> files.put(ContentHash.of(lora.file()), lora.file()));
        List<Lora> loras = new ArrayList<>();
        for (Json lora : described(recipe)) {
            Path file = files.get(lora.requiredText(HASH));
            if (file == null) {
                throw new IllegalArgumentException(
                        "the LoRA %s of the SHA-256 %s is missing: %d were given, none of them this one (--lora)"
                                .formatted(
                                        lora.requiredText(FILE),
                                        lora.requiredText(HASH),
                                        given.size()));
            }
            loras.add(new Lora(file, lora.requiredDouble(SCALE)));
        }
        loras.forEach(lora -> files.values().remove(lora.file()));
        if (!files.isEmpty()) {
            throw new IllegalArgumentException(
                    "the LoRA %s was given, but the recipe has none of its SHA-256"
                            .formatted(files.values().iterator().next()));
        }
        return loras;
    }
}
