package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Lora;
import io.sanavideo.weights.ContentHash;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Which LoRAs a clip is made with. Their files are read beside what else is done. */
final class LoraHashes {
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
        ArrayNode loras = recipe.putArray("loras");
        for (int i = 0; i < hashes.size(); i++) {
            Lora lora = folder.loras().get(i);
            loras.addObject()
                    .put("file", lora.file().getFileName().toString())
                    .put("sha256", Background.result(hashes.get(i)))
                    .put("scale", lora.scale());
        }
        recipe.put("lora_mode", folder.loraMode().label());
    }
}
