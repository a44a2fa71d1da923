package io.sanavideo;

import static io.sanavideo.DemoCopy.TEXT_ENCODER;
import static io.sanavideo.DemoCopy.TRANSFORMER;
import static io.sanavideo.DemoCopy.VAE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Broken model folders end in a {@link ModelFormatException} that says what is wrong where. */
class BrokenModelTest {
    private static final String INDEX = "model_index.json";
    private static final String DEFAULTS = "generation_defaults.json";
    private static final String SCHEDULER = "scheduler/scheduler_config.json";
    private static final String TOKENIZER = "tokenizer/tokenizer.json";
    private static final String TRANSFORMER_CONFIG = "transformer/config.json";
    private static final String VAE_CONFIG = "vae/config.json";
    private static final String TEXT_CONFIG = "text_encoder/config.json";
    private static final int NAN = 0x7fc0;
    private static final int INFINITY = 0x7f80;

    @TempDir private Path folder;
    private DemoCopy copy;

    @BeforeEach
    void makeCopy() throws IOException {
        copy = DemoCopy.at(folder.resolve("model"));
    }

    @AfterEach
    void deleteCopy() throws IOException {
        if (Files.exists(copy.root())) {
            copy.delete("");
        }
    }

    private interface Breakage {
        void apply(DemoCopy copy) throws IOException;
    }

    /** A way to break the model, and what the message must say. */
    private record Row(String name, Breakage breakage, List<String> words) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Row row(String name, Breakage breakage, String... words) {
        return new Row(name, breakage, List.of(words));
    }

    /** A key of a JSON file with another value. */
    private static Row value(String file, String key, String value, String... words) {
        String name = file + ": " + key + " is " + value;
        return row(name, copy -> copy.set(file, key, value), words);
    }

    static Stream<Row> folders() {
        return Stream.of(
                row("no folder", copy -> copy.delete(""), "does not exist", "diffusers layout"),
                row("no index", copy -> copy.delete(INDEX), INDEX, "does not exist"),
                row("index is no JSON", copy -> copy.write(INDEX, "{"), INDEX, "not valid JSON"),
                row("index is a list", copy -> copy.write(INDEX, "[]"), "expected a JSON object"),
                row("index is empty", copy -> copy.write(INDEX, ""), INDEX, "is empty"),
                row(
                        "index names another transformer",
                        copy -> copy.replace(INDEX, "SanaVideoTransformer3DModel", "Flux"),
                        "'transformer'",
                        "SanaVideoTransformer3DModel"),
                row(
                        "index names no VAE",
                        copy -> copy.replace(INDEX, "\"vae\"", "\"eav\""),
                        "key 'vae' is missing"),
                value(INDEX, "text_encoder", "[null, null]", "'text_encoder[0]' is null"),
                row("no VAE folder", copy -> copy.delete("vae"), "folder 'vae' is missing"),
                row(
                        "no scheduler folder",
                        copy -> copy.delete("scheduler"),
                        "folder 'scheduler' is missing"),
                row(
                        "no tokenizer folder",
                        copy -> copy.delete("tokenizer"),
                        "folder 'tokenizer' is missing"),
                row("no tokenizer", copy -> copy.delete(TOKENIZER), TOKENIZER, "does not exist"),
                row(
                        "tokenizer is no JSON",
                        copy -> copy.truncate(TOKENIZER, 500),
                        TOKENIZER,
                        "not valid JSON"),
                row(
                        "tokenizer of another kind",
                        copy -> copy.replace(TOKENIZER, "\"BPE\"", "\"Unigram\""),
                        TOKENIZER,
                        "Unigram"),
                row("no config", copy -> copy.delete(VAE_CONFIG), VAE_CONFIG, "does not exist"),
                row(
                        "config is no JSON",
                        copy -> copy.write(TRANSFORMER_CONFIG, "{\"num_layers\" 6}"),
                        TRANSFORMER_CONFIG,
                        "not valid JSON"),
                row("defaults are no JSON", copy -> copy.write(DEFAULTS, "64x64"), DEFAULTS));
    }

    static Stream<Row> configurations() {
        return Stream.of(
                value(SCHEDULER, "_class_name", "\"DDIMScheduler\"", "DDIMScheduler", "UniPC"),
                value(SCHEDULER, "algorithm_type", "\"sde-dpmsolver++\"", "'algorithm_type'"),
                value(SCHEDULER, "solver_order", "3", "'solver_order' is 3", "1 or 2"),
                value(SCHEDULER, "use_karras_sigmas", "true", "'use_karras_sigmas' is true"),
                value(SCHEDULER, "prediction_type", "\"epsilon\"", "flow_prediction"),
                value(SCHEDULER, "flow_shift", "0", "'flow_shift' is 0", "above 0"),
                value(SCHEDULER, "flow_shift", "NaN", "'flow_shift'", "finite"),
                value(TRANSFORMER_CONFIG, "num_layers", "\"six\"", "'num_layers' is \"six\""),
                value(TRANSFORMER_CONFIG, "num_layers", "0", "'num_layers' is 0", "from 1"),
                value(TRANSFORMER_CONFIG, "num_layers", "7", "transformer_blocks.6."),
                value(TRANSFORMER_CONFIG, "num_layers", "5", "unexpected tensor"),
                value(TRANSFORMER_CONFIG, "num_attention_heads", "2000000000", "_heads"),
                value(TRANSFORMER_CONFIG, "attention_head_dim", "33", "even"),
                value(TRANSFORMER_CONFIG, "cross_attention_dim", "64", "'cross_attention_dim'"),
                value(TRANSFORMER_CONFIG, "num_cross_attention_heads", "2000000000", "_heads"),
                value(TRANSFORMER_CONFIG, "qk_norm", "\"layer_norm\"", "rms_norm_across_heads"),
                value(TRANSFORMER_CONFIG, "patch_size", "[1, 2]", "'patch_size'", "three"),
                value(
                        TRANSFORMER_CONFIG,
                        "patch_size",
                        "[1, 65536, 65536]",
                        "patch_embedding.weight"),
                value(TRANSFORMER_CONFIG, "mlp_ratio", "-1", "'mlp_ratio'"),
                value(TRANSFORMER_CONFIG, "in_channels", "4", "patch_embedding.weight", "[128, 4,"),
                value(TEXT_CONFIG, "hidden_size", "\"96\"", "'hidden_size' is \"96\""),
                value(TEXT_CONFIG, "num_key_value_heads", "3", "'num_key_value_heads' is 3"),
                value(TEXT_CONFIG, "hidden_activation", "\"relu\"", "gelu_pytorch_tanh"),
                value(TEXT_CONFIG, "layer_types", "[\"full_attention\"]", "'layer_types'"),
                value(TEXT_CONFIG, "num_hidden_layers", "2000000000", "2000000000 layers"),
                value(TEXT_CONFIG, "num_attention_heads", "2000000000", "num_attention_heads"),
                value(TEXT_CONFIG, "vocab_size", "100", "embed_tokens.weight", "[100, 96]"),
                value(TEXT_CONFIG, "rms_norm_eps", "Infinity", "'rms_norm_eps'", "finite"),
                value(VAE_CONFIG, "latents_mean", "[0.5]", "'latents_mean'", "16"),
                value(VAE_CONFIG, "latents_std", "\"none\"", "'latents_std'", "an array"),
                value(VAE_CONFIG, "dim_mult", "[1, 2, \"4\", 4]", "'dim_mult[2]'"),
                value(VAE_CONFIG, "temperal_downsample", "[true]", "'temperal_downsample'"),
                value(VAE_CONFIG, "is_residual", "true", "'is_residual'", "Wan 2.1"),
                value(VAE_CONFIG, "base_dim", "2000000000", "encoder.conv_in.weight"),
                value(VAE_CONFIG, "scale_factor_temporal", "8", "'scale_factor_temporal' is 8"),
                value(DEFAULTS, "width", "\"wide\"", "'width' is \"wide\""),
                value(DEFAULTS, "fps", "0", "'fps' is 0", "above 0"),
                value(DEFAULTS, "sampler", "\"ddim\"", "'sampler' is \"ddim\"", "unipc"),
                value(DEFAULTS, "steps", "0", "'steps' is 0"),
                value(DEFAULTS, "guidance_scale", "NaN", "'guidance_scale'"),
                value(DEFAULTS, "instruction", "\"mine\"", "'instruction' is \"mine\""));
    }

    static Stream<Row> components() {
        return Stream.of(
                row(
                        "transformer of fewer channels in",
                        copy ->
                                copy.set(TRANSFORMER_CONFIG, "in_channels", "8")
                                        .reshape(
                                                TRANSFORMER,
                                                "patch_embedding.weight",
                                                "BF16",
                                                128,
                                                8,
                                                1,
                                                2,
                                                2),
                        "in_channels is 8",
                        "z_dim, 16"),
                row(
                        "transformer of fewer channels out",
                        copy ->
                                copy.set(TRANSFORMER_CONFIG, "out_channels", "8")
                                        .reshape(TRANSFORMER, "proj_out.weight", "BF16", 32, 128)
                                        .reshape(TRANSFORMER, "proj_out.bias", "BF16", 32),
                        "out_channels is 8",
                        "in_channels, 16"),
                row(
                        "transformer for another text encoder",
                        copy ->
                                copy.set(TRANSFORMER_CONFIG, "caption_channels", "64")
                                        .reshape(
                                                TRANSFORMER,
                                                "caption_projection.linear_1.weight",
                                                "BF16",
                                                128,
                                                64),
                        "caption_channels is 64",
                        "hidden_size, 96"),
                row(
                        "patches of two frames",
                        copy ->
                                copy.set(TRANSFORMER_CONFIG, "patch_size", "[2, 2, 1]")
                                        .reshape(
                                                TRANSFORMER,
                                                "patch_embedding.weight",
                                                "BF16",
                                                128,
                                                16,
                                                2,
                                                2,
                                                1),
                        "patch_size[0] is 2"),
                row(
                        "oblong patches",
                        copy ->
                                copy.set(TRANSFORMER_CONFIG, "patch_size", "[1, 4, 1]")
                                        .reshape(
                                                TRANSFORMER,
                                                "patch_embedding.weight",
                                                "BF16",
                                                128,
                                                16,
                                                1,
                                                4,
                                                1),
                        "patch_size[1] is 4"));
    }

    static Stream<Row> weights() {
        String table = "scale_shift_table";
        String gate = "layers.1.mlp.gate_proj.weight";
        return Stream.of(
                row("no weights", copy -> copy.delete(VAE), "vae", "has no weights"),
                row("empty file", copy -> copy.truncate(VAE, 0), VAE),
                row("7 bytes", copy -> copy.truncate(VAE, 7), VAE),
                row("header cut off", copy -> copy.truncate(VAE, 1000), VAE),
                row("last byte cut off", copy -> copy.truncate(VAE, -1), VAE, "truncated"),
                row(
                        "a byte too many",
                        copy -> copy.truncate(VAE, (int) Files.size(copy.root().resolve(VAE)) + 1),
                        VAE,
                        "1 bytes follow the last tensor"),
                row("huge header", copy -> copy.headerLength(VAE, 1L << 40), VAE, "1099511627776"),
                row("negative header", copy -> copy.headerLength(VAE, -1), VAE),
                row(
                        "header is no JSON",
                        copy -> copy.header(VAE, header -> header.replace(":[", ":(")),
                        VAE,
                        "not valid JSON"),
                row(
                        "overlapping tensors",
                        copy -> copy.header(TRANSFORMER, h -> h.replace("[256,512]", "[0,256]")),
                        "overlaps"),
                row(
                        "a hole between tensors",
                        copy -> copy.header(TRANSFORMER, h -> h.replace("[256,512]", "[512,768]")),
                        TRANSFORMER,
                        "at byte"),
                row(
                        "tensor twice",
                        copy ->
                                copy.header(
                                        TRANSFORMER,
                                        h -> h.replace("\"proj_out.weight\"", "\"proj_out.bias\"")),
                        "proj_out.bias",
                        "stands twice"),
                row(
                        "uncountable shape",
                        copy ->
                                copy.header(
                                        TEXT_ENCODER,
                                        h -> h.replace("[515,96]", "[4294967296,4294967296]")),
                        "embed_tokens.weight",
                        "more bytes than 64 bits"),
                row(
                        "unknown dtype",
                        copy -> copy.dtype(TRANSFORMER, table, "F8_E4M3"),
                        table,
                        "F8_E4M3"),
                row(
                        "dtype of another size",
                        copy -> copy.dtype(TRANSFORMER, table, "F32"),
                        table,
                        "expected 1024 for F32"),
                row(
                        "integer weights",
                        copy -> copy.reshape(TRANSFORMER, table, "I32", 2, 128),
                        table,
                        "dtype is I32"),
                row(
                        "missing tensor",
                        copy -> copy.drop(TRANSFORMER, table),
                        "missing tensor 'scale_shift_table'",
                        "[2, 128]"),
                row(
                        "tensor of another name",
                        copy ->
                                copy.header(
                                        TEXT_ENCODER,
                                        h -> h.replace("layers.1.mlp.gate", "layers.1.mlp.gait")),
                        "missing tensor '" + gate + "'"),
                row(
                        "transposed tensor",
                        copy -> copy.reshape(TEXT_ENCODER, gate, "BF16", 96, 256),
                        gate,
                        "[96, 256]",
                        "[256, 96]"),
                row(
                        "NaN in a product's weight",
                        copy -> copy.element(TEXT_ENCODER, gate, 300, NAN),
                        gate,
                        "element 300 is NaN"),
                row(
                        "NaN in a table",
                        copy -> copy.element(TRANSFORMER, table, 5, NAN),
                        table,
                        "element 5 is NaN"),
                row(
                        "NaN in the token embeddings",
                        copy -> copy.element(TEXT_ENCODER, "embed_tokens.weight", 97, NAN),
                        "embed_tokens.weight",
                        "element 97 is NaN"),
                row(
                        "infinity in a convolution",
                        copy -> copy.element(VAE, "decoder.conv_out.weight", 0, INFINITY),
                        "decoder.conv_out.weight",
                        "element 0 is Infinity"),
                row(
                        "two checkpoints",
                        copy -> copy.write("vae/model.safetensors", ""),
                        "more than one checkpoint"),
                row(
                        "missing shard",
                        copy -> sharded(copy, "model-2.safetensors"),
                        "model-2.safetensors",
                        "missing shard"),
                row("shard elsewhere", copy -> sharded(copy, "../a.safetensors"), "same folder"),
                row(
                        "index of shards is no JSON",
                        copy ->
                                sharded(copy, "model-1.safetensors")
                                        .truncate(TEXT_ENCODER + ".index.json", 9),
                        "index.json",
                        "not valid JSON"),
                row(
                        "shard holds what the index lacks",
                        copy -> sharded(copy, "model-1.safetensors"),
                        "does not say so"));
    }

    /** An index of one tensor, beside the text encoder's weights as shard 1. */
    private static DemoCopy sharded(DemoCopy copy, String shard) throws IOException {
        String index = "{\"weight_map\": {\"embed_tokens.weight\": \"%s\"}}".formatted(shard);
        return copy.rename(TEXT_ENCODER, "text_encoder/model-1.safetensors")
                .write(TEXT_ENCODER + ".index.json", index);
    }

    @ParameterizedTest
    @MethodSource({"folders", "configurations", "components", "weights"})
    void saysWhatIsWrong(Row row) throws IOException {
        row.breakage.apply(copy);

        assertThatThrownBy(() -> open(Precision.F32))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(copy.root().toString())
                .satisfies(e -> assertThat(e.getMessage()).contains(row.words));
    }

    @ParameterizedTest
    @CsvSource({"transformer/config.json, num_layers", "vae/config.json, num_res_blocks"})
    void absurdNumbersOfLayersAreRefused(String file, String key) throws IOException {
        copy.set(file, key, "2000000000");

        assertThatThrownBy(() -> open(Precision.F32))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("numbers of layers");
    }

    @Test
    void copyThatIsNotBrokenRuns() throws IOException {

        try (SanaVideo sana = open(Precision.F32)) {
            assertThat(sana.generate(TextToVideo.prompt("a red circle").steps(1).build()))
                    .isNotNull();
        }
    }

    @Test
    void nanIsFoundInBf16Too() throws IOException {
        copy.element(VAE, "decoder.conv_in.weight", 3, NAN);

        assertThatThrownBy(() -> open(Precision.BF16))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("decoder.conv_in.weight");
    }

    @Test
    void refusedModelsLeaveNoMemoryAndNoFilesBehind() throws IOException {
        copy.element(VAE, "decoder.conv_out.weight", 0, NAN);
        failToOpen(5);
        long before = residentBytes();

        failToOpen(30);

        // The weights are 18 MB in f32.
        assertThat(residentBytes() - before).isLessThan(100_000_000);
        assertThat(openWeights()).isEmpty();
    }

    private void failToOpen(int times) {
        for (int i = 0; i < times; i++) {
            assertThat(catchThrowable(() -> open(Precision.F32)))
                    .isInstanceOf(ModelFormatException.class);
        }
    }

    private SanaVideo open(Precision precision) {
        return SanaVideo.open(copy.root(), Device.cpu(), precision, ProgressListener.NONE);
    }

    /** The copy's weight files that this process holds open. */
    private List<String> openWeights() throws IOException {
        List<String> open = new ArrayList<>();
        for (File link : new File("/proc/self/fd").listFiles()) {
            String file = link.getCanonicalPath();
            if (file.startsWith(folder.toRealPath().toString()) && file.endsWith(".safetensors")) {
                open.add(file);
            }
        }
        return open;
    }

    /** Without the buffers that await the garbage collector. */
    private static long residentBytes() throws IOException {
        System.gc();
        String line =
                Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(entry -> entry.startsWith("VmRSS"))
                        .findFirst()
                        .orElseThrow();
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
    }
}
