package io.sanavideo.pipeline;

import io.sanavideo.TextToVideo;
import io.sanavideo.model.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The demo model with one block, one layer and a thin VAE of random weights: a run of moments. */
final class TinyModel {
    private static final int SIZE = 8;

    private TinyModel() {}

    /** Of a clip as small as the model makes. */
    static TextToVideo.Builder request() {
        return TextToVideo.prompt("a red circle")
                .instruction(TextToVideo.NO_INSTRUCTION)
                .size(SIZE, SIZE)
                .frames(1)
                .seed(1);
    }

    /** Writes the model into a folder of this one. */
    static ModelFolder write(Path folder) throws IOException {
        Path configs = folder.resolve("configs");
        Path demo = ModelFolder.demo();
        try (Stream<Path> files = Files.walk(demo)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (file.toString().endsWith(".json")) {
                    Path copy = configs.resolve(demo.relativize(file).toString());
                    Files.createDirectories(copy.getParent());
                    Files.copy(file, copy);
                }
            }
        }
        Path transformer = configs.resolve("transformer/config.json");
        replace(transformer, "\"num_layers\": 6", "\"num_layers\": 1");
        replace(transformer, "    1,\n    2,\n    2\n", "    1,\n    1,\n    1\n");
        Path text = configs.resolve("text_encoder/config.json");
        replace(text, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
        replace(text, "\"sliding_attention\",\n", "");
        Path vae = configs.resolve("vae/config.json");
        replace(vae, "\"base_dim\": 16", "\"base_dim\": 8");
        replace(
                vae,
                "\"dim_mult\": [\n    1,\n    2,\n    4,\n    4\n  ]",
                "\"dim_mult\": [1, 1, 1, 1]");
        Path model = folder.resolve("model");
        RandomModel.of(configs).write(model, 1, written -> {});
        return ModelFolder.open(model);
    }

    private static void replace(Path file, String text, String replacement) throws IOException {
        String content = Files.readString(file);
        if (!content.contains(text)) {
            throw new IllegalArgumentException(file + " does not contain " + text);
        }
        Files.writeString(file, content.replace(text, replacement));
    }
}
