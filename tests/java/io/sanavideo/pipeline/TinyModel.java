package io.sanavideo.pipeline;

import io.sanavideo.TextToVideo;
import io.sanavideo.model.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;

/** The demo model with one block, one layer and a thin VAE of random weights: a run of moments. */
public final class TinyModel {
    private static final int SIZE = 8;
    private static final int LTX_SIZE = 64;
    private static final int HEADS = 4;
    private static final int BLOCKS = 6;
    private static final int CHANNELS = 128;

    private TinyModel() {}

    /** Of a clip as small as the model makes. */
    public static TextToVideo.Builder request() {
        return TextToVideo.prompt("a red circle")
                .instruction(TextToVideo.NO_INSTRUCTION)
                .size(SIZE, SIZE)
                .frames(1)
                .seed(1);
    }

    /** Writes the model into a folder of this one. */
    public static ModelFolder write(Path folder) throws IOException {
        return write(folder, HEADS, 1, 1);
    }

    /** Like the 720p model: the demo's transformer, without patches, and a thin LTX-2 VAE. */
    public static ModelFolder writeWithLtxVae(Path folder) throws IOException {
        Path configs = configs(folder, HEADS, 1);
        Path vae = configs.resolve("vae/config.json");
        Files.copy(
                Path.of("tests/golden/ltx2-vae-noncausal-decoder/config.json"),
                vae,
                StandardCopyOption.REPLACE_EXISTING);
        replace(configs.resolve("model_index.json"), "AutoencoderKLWan", "AutoencoderKLLTX2Video");
        return write(configs, folder, 1);
    }

    /** Of a clip as small as that model makes: 64 pixels a side. */
    public static TextToVideo.Builder requestOfLtxVae() {
        return request().size(LTX_SIZE, LTX_SIZE);
    }

    /**
     * As the other.
     *
     * @param heads of the transformer, each of 32 channels
     * @param seed of the weights
     */
    public static ModelFolder write(Path folder, int heads, long seed) throws IOException {
        return write(folder, heads, 1, seed);
    }

    /** With all six blocks of the demo's transformer, which then takes more than the others. */
    static ModelFolder writeDeep(Path folder) throws IOException {
        return write(folder, HEADS, BLOCKS, 1);
    }

    private static ModelFolder write(Path folder, int heads, int blocks, long seed)
            throws IOException {
        Path configs = configs(folder, heads, blocks);
        Path vae = configs.resolve("vae/config.json");
        replace(vae, "\"base_dim\": 16", "\"base_dim\": 8");
        replace(
                vae,
                "\"dim_mult\": [\n    1,\n    2,\n    4,\n    4\n  ]",
                "\"dim_mult\": [1, 1, 1, 1]");
        return write(configs, folder, seed);
    }

    private static ModelFolder write(Path configs, Path folder, long seed) {
        Path model = folder.resolve("model");
        RandomModel.of(configs).write(model, seed, written -> {});
        return ModelFolder.open(model);
    }

    /** The demo model's configurations, with one layer of text and so many blocks. */
    private static Path configs(Path folder, int heads, int blocks) throws IOException {
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
        replace(transformer, "\"num_layers\": " + BLOCKS, "\"num_layers\": " + blocks);
        replace(transformer, "    1,\n    2,\n    2\n", "    1,\n    1,\n    1\n");
        replace(transformer, "attention_heads\": " + HEADS, "attention_heads\": " + heads);
        replace(
                transformer,
                "\"cross_attention_dim\": " + CHANNELS,
                "\"cross_attention_dim\": " + CHANNELS / HEADS * heads);
        Path text = configs.resolve("text_encoder/config.json");
        replace(text, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
        replace(text, "\"sliding_attention\",\n", "");
        return configs;
    }

    private static void replace(Path file, String text, String replacement) throws IOException {
        String content = Files.readString(file);
        if (!content.contains(text)) {
            throw new IllegalArgumentException(file + " does not contain " + text);
        }
        Files.writeString(file, content.replace(text, replacement));
    }
}
