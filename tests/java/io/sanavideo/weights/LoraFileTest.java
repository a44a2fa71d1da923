package io.sanavideo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Keys, ranks and alphas of LoRAs, and what is refused. */
class LoraFileTest {
    private static final String QUERY = "transformer_blocks.0.attn1.to_q";
    private static final String OUT = "transformer_blocks.0.attn1.to_out.0";
    private static final String POINT = "transformer_blocks.0.ff.conv_point";
    private static final String A = ".lora_A.weight";
    private static final String B = ".lora_B.weight";

    @TempDir private Path folder;

    /** Rank 4 of a query and a projection, 2 of a convolution. */
    private static RandomLora lora() {
        return new RandomLora(3)
                .layer(QUERY, 6, 4, 5L)
                .layer(OUT, 5, 4, 6L)
                .layer(POINT, 5, 2, 7L, 1L, 1L);
    }

    private Path write(EditedTensors tensors) {
        return tensors.write(folder.resolve("lora.safetensors"));
    }

    private static String down(String name) {
        return name.replace("lora_A", "down").replace("lora_B", "up");
    }

    /** A way to name layers: what becomes of PEFT's keys. */
    private record Style(String name, UnaryOperator<String> key) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Style> styles() {
        return Stream.of(
                new Style("PEFT", key -> key),
                new Style("PEFT without transformer.", key -> key.substring(12)),
                new Style(
                        "diffusers: .lora.down",
                        key ->
                                down(key)
                                        .replace(".down.", ".lora.down.")
                                        .replace(".up.", ".lora.up.")),
                new Style(
                        "diffusers: .lora_linear_layer.down",
                        key ->
                                down(key)
                                        .replace(".down.", ".lora_linear_layer.down.")
                                        .replace(".up.", ".lora_linear_layer.up.")),
                new Style(
                        "diffusers: .processor.to_q_lora.down",
                        key ->
                                key.contains("attn1")
                                        ? down(key)
                                                .replace("to_out.0", "to_out")
                                                .replace("attn1.", "attn1.processor.")
                                                .replaceFirst("\\.(to_\\w+)", ".$1_lora")
                                        : key));
    }

    @ParameterizedTest
    @MethodSource("styles")
    void keysOfEachStyleNameTheSameLayers(Style style) {
        RandomLora random = lora();
        Path path = write(random.tensors().rename(style.key));
        try (LoraFile file = LoraFile.open(path)) {
            assertThat(file.layers().keySet()).containsExactlyInAnyOrder(QUERY, OUT, POINT);
            file.layers()
                    .forEach(
                            (name, layer) -> {
                                assertThat(layer.name()).isEqualTo(name);
                                assertThat(layer.down().toFloats())
                                        .containsExactly(random.down(name));
                                assertThat(layer.up().toFloats()).containsExactly(random.up(name));
                            });
            assertThat(file.layers().get(QUERY).rank()).isEqualTo(4);
            assertThat(file.layers().get(POINT).rank()).isEqualTo(2);
        }
    }

    /** What a header says, and the factor of each layer then. */
    private record Alphas(String metadata, double query, double out, double point) {}

    static Stream<Alphas> alphas() {
        return Stream.of(
                new Alphas(null, 1, 1, 1),
                new Alphas("{}", 1, 1, 1),
                new Alphas("{'lora_alpha': 8}", 2, 2, 4),
                new Alphas(
                        "{'transformer.r': 4, 'transformer.lora_alpha': 8,"
                                + " 'transformer.rank_pattern': {'ff.conv_point': 2},"
                                + " 'transformer.alpha_pattern': {'transformer_blocks.0.attn1.to_q': 6}}",
                        1.5,
                        2,
                        4),
                new Alphas(
                        "{'r': 4, 'lora_alpha': 4, 'use_rslora': true,"
                                + " 'rank_pattern': {'^transformer_blocks\\\\.0\\\\.ff\\\\.conv_point': 2},"
                                + " 'alpha_pattern': {'point': 9, 'conv_point': 1, 'to_out.0': 3}}",
                        2,
                        1.5,
                        1 / Math.sqrt(2)));
    }

    @ParameterizedTest
    @MethodSource("alphas")
    void alphaIsTheHeadersOrTheRank(Alphas alphas) {
        EditedTensors tensors = lora().tensors();
        if (alphas.metadata != null) {
            tensors.metadata(LoraScales.METADATA, alphas.metadata.replace('\'', '"'));
        }
        try (LoraFile file = LoraFile.open(write(tensors))) {
            assertThat(file.layers().get(QUERY).factor()).isCloseTo(alphas.query, within(1e-12));
            assertThat(file.layers().get(OUT).factor()).isCloseTo(alphas.out, within(1e-12));
            assertThat(file.layers().get(POINT).factor()).isCloseTo(alphas.point, within(1e-12));
        }
    }

    @Test
    void numbersAreScaled() {
        RandomLora random = lora();
        random.tensors().metadata(LoraScales.METADATA, "{\"lora_alpha\": 8}");
        try (LoraFile file = LoraFile.open(write(random.tensors()))) {
            LoraTerm.Values values = new LoraTerm(file.layers().get(QUERY), -0.5).read();
            float[] up = random.up(QUERY);
            assertThat(values.down()).containsExactly(random.down(QUERY));
            for (int i = 0; i < up.length; i++) {
                assertThat(values.up()[i]).isEqualTo(-up[i]);
            }
        }
    }

    /** A way to spoil a LoRA, and what the message then says. */
    private record Broken(String name, Consumer<EditedTensors> change, String... words) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Broken metadata(String name, String json, String... words) {
        return new Broken(
                name,
                tensors -> tensors.metadata(LoraScales.METADATA, json.replace('\'', '"')),
                words);
    }

    private static Broken extra(String key, String... words) {
        return new Broken(key, tensors -> tensors.put(key, new float[4], 2L, 2L), words);
    }

    static Stream<Broken> broken() {
        String query = "transformer." + QUERY;
        return Stream.of(
                extra(query + ".alpha", query + ".alpha", "kohya", "lora_adapter_metadata"),
                extra(
                        "lora_unet_blocks_0_attn1_to_q.lora_down.weight",
                        "lora_unet_blocks_0_attn1_to_q.lora_down.weight",
                        "kohya"),
                extra(query + ".lora_magnitude_vector", query + ".lora_magnitude_vector", "DoRA"),
                extra(query + ".dora_scale", "dora_scale", "DoRA"),
                extra(
                        "text_encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight",
                        "text_encoder.layers.0",
                        "only the transformer"),
                extra(
                        query + ".lora_B.bias",
                        "lora_B.bias",
                        "no key that is known",
                        "lora_A.weight"),
                extra("proj_out.weight", "proj_out.weight", "no key that is known"),
                extra(
                        QUERY + A,
                        "says anew what",
                        "'transformer.transformer_blocks.0.attn1.to_q.lora_A.weight'"),
                new Broken(
                        "no B",
                        tensors -> tensors.remove(query + B),
                        query + A,
                        "no matrix B (up)"),
                new Broken(
                        "no A",
                        tensors -> tensors.remove(query + A),
                        query + B,
                        "no matrix A (down)"),
                new Broken(
                        "ranks that differ",
                        tensors -> tensors.put(query + B, new float[18], 6L, 3L),
                        query + B,
                        "[6, 3]",
                        "[out, 4]",
                        "[4, 5]"),
                new Broken(
                        "a vector",
                        tensors -> tensors.put(query + A, new float[20], 20L),
                        "[20]",
                        "[rank, in]"),
                new Broken(
                        "rank 0",
                        tensors -> tensors.put(query + A, new float[0], 0L, 5L),
                        "[0, 5]",
                        "each at least 1"),
                new Broken(
                        "bytes",
                        tensors -> tensors.put(query + A, DType.U8, List.of(4L, 5L), new byte[20]),
                        "dtype is U8",
                        "F32"),
                metadata("no JSON", "r = 4", "lora_adapter_metadata"),
                metadata("another rank", "{'r': 8}", "is of rank 4", "says 8"),
                metadata(
                        "another rank of one layer",
                        "{'rank_pattern': {'conv_point': 3}}",
                        "conv_point",
                        "is of rank 2",
                        "says 3"),
                metadata("rank as text", "{'r': '4'}", "'r'", "\"4\""),
                metadata("alpha 0", "{'lora_alpha': 0}", "lora_alpha", "above 0"),
                metadata(
                        "alpha of a layer",
                        "{'alpha_pattern': {'to_q': -1}}",
                        "alpha_pattern.to_q",
                        "above 0"),
                metadata(
                        "a regular expression",
                        "{'alpha_pattern': {'blocks.[0-9]+': 1}}",
                        "blocks.[0-9]+",
                        "no regular expression"),
                metadata("DoRA", "{'transformer.use_dora': true}", "use_dora"),
                metadata("another method", "{'peft_type': 'LOHA'}", "LOHA", "LORA"),
                metadata("root of the rank alone", "{'use_rslora': true}", "lora_alpha"));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void whatIsNotSupportedIsRefusedByName(Broken broken) {
        EditedTensors tensors = lora().tensors();
        broken.change.accept(tensors);
        Path path = write(tensors);
        assertThatThrownBy(() -> LoraFile.open(path))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(path.toString())
                .satisfies(e -> assertThat(e.getMessage()).contains(broken.words));
    }

    @Test
    void aFileWithoutTensorsIsRefused() {
        Path path = write(new EditedTensors());
        assertThatThrownBy(() -> LoraFile.open(path))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("holds no LoRA");
        Path missing = folder.resolve("missing.safetensors");
        assertThatThrownBy(() -> LoraFile.open(missing))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("does not exist");
    }

    @Test
    void numbersThatAreNoneAreRefused() {
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            for (String side : new String[] {A, B}) {
                RandomLora random = lora();
                String name = "transformer." + QUERY + side;
                float[] values = random.tensors().floats(name);
                values[2] = wrong;
                List<Long> shape = random.tensors().shape(name);
                random.tensors().put(name, values, shape.toArray(Long[]::new));
                try (LoraFile file = LoraFile.open(write(random.tensors()))) {
                    LoraTerm term = new LoraTerm(file.layers().get(QUERY), 1);
                    assertThatThrownBy(term::read)
                            .isInstanceOf(ModelFormatException.class)
                            .hasMessageContaining(name)
                            .hasMessageContaining("element 2 is " + wrong);
                }
            }
        }
        try (LoraFile file = LoraFile.open(write(lora().tensors()))) {
            LoraTerm term = new LoraTerm(file.layers().get(QUERY), 1e300);
            assertThatThrownBy(term::read)
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("1.0E300");
        }
    }
}
