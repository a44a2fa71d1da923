package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Block;
import io.sanavideo.runtime.Padding;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the configs say and what is refused of them, by key, value and what is supported. */
class ConfigTest {
    private static final Path GOLDEN = Path.of("tests/golden");
    private static final Path RELEASED = Path.of("src/main/resources/io/sanavideo/random/480p");

    /** Reads a config in which the text of one value was replaced. */
    private static Json edited(Path folder, String key, String value) throws IOException {
        String text = Files.readString(folder.resolve("config.json"));
        String changed =
                text.replaceFirst(
                        "\"" + key + "\": (\\[[^]]*]|[^,\\n]*)", "\"" + key + "\": " + value);
        assertThat(changed).as("the edit of " + key).isNotEqualTo(text);
        return Json.parse("config.json", changed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "_class_name | \"FluxTransformer2DModel\" | SanaVideoTransformer3DModel",
                "qk_norm | \"layer_norm\" | rms_norm_across_heads",
                "qk_norm | null | a string",
                "norm_elementwise_affine | true | false",
                "interpolation_scale | 2 | null",
                "attention_head_dim | 31 | an even number",
                "attention_head_dim | 4 | an integer from 6",
                "cross_attention_dim | 96 | num_attention_heads * attention_head_dim = 64",
                "patch_size | [2, 2] | three sizes",
                "patch_size | [1, 0, 2] | an integer from 1",
                "mlp_ratio | 0.0 | a positive ratio",
                "num_layers | \"one\" | an integer from 1",
                "norm_eps | null | a finite number",
            })
    void refusesOtherTransformers(String key, String value, String expected) throws IOException {
        Json json = edited(GOLDEN.resolve("transformer-guidance"), key, value);
        assertThatThrownBy(() -> TransformerConfig.of(json))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining(key)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model_type | \"gemma\" | gemma2",
                "hidden_activation | \"relu\" | gelu_pytorch_tanh",
                "attention_bias | true | false",
                "use_bidirectional_attention | true | false",
                "num_key_value_heads | 3 | a divisor of the 4 heads",
                "head_dim | 15 | an even number",
                "rope_type | \"yarn\" | default",
                "layer_types | [\"full_attention\"] | one entry for each of 4 layers",
                "layer_types | [\"global\"] | sliding_attention or full_attention, not global",
                "sliding_window | null | an integer from 1",
            })
    void refusesOtherTextEncoders(String key, String value, String expected) throws IOException {
        Json json = edited(GOLDEN.resolve("gemma2"), key, value);
        assertThatThrownBy(() -> Gemma2Config.of(json))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(key)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "_class_name | \"AutoencoderKL\" | AutoencoderKLWan",
                "is_residual | true | false",
                "patch_size | 2 | null",
                "attn_scales | [1.0] | []",
                "in_channels | 1 | 3",
                "out_channels | 12 | 3",
                "temperal_downsample | [true] | one entry less than dim_mult",
                "latents_mean | [0.5] | one number for each of the 16",
                "latents_std | [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0] | numbers above 0",
                "scale_factor_temporal | 8 | 4",
                "scale_factor_spatial | 16 | 8",
            })
    void refusesOtherVaes(String key, String value, String expected) throws IOException {
        Json json = edited(GOLDEN.resolve("wan-vae"), key, value);
        assertThatThrownBy(() -> WanVaeConfig.of(json))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(key)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "block_out_channels | [] | 1 to 16 levels",
                "decoder_block_out_channels | [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] | 1 to 16 levels",
                "layers_per_block | [1, 2000000000, 1] | an integer from 1 to 1000",
                "decoder_layers_per_block | [1, 1] | an array of",
                "timestep_conditioning | true | false",
                "_class_name | \"AutoencoderKLLTXVideo\" | AutoencoderKLLTX2Video",
                "decoder_inject_noise | [false, true, false, false] | only false",
                "spatio_temporal_scaling | [true, true, true, false] | only true",
                "patch_size_t | 2 | 1: patches of a single frame",
                "in_channels | 4 | 3: red, green, blue",
                "out_channels | 1 | 3: red, green, blue",
                "downsample_type | [\"spatial\", \"conv\", \"spatial\", \"spatial\"] | spatial, temporal or spatiotemporal",
                "encoder_spatial_padding_mode | \"replicate\" | zeros or reflect",
                "decoder_spatial_padding_mode | \"circular\" | zeros or reflect",
                "block_out_channels | [8, 16, 16, 36] | multiples of the 8 pixels that level 3 gathers",
                "block_out_channels | [8, 16, 128, 192] | level 3 gathers, a whole number of its 128 channels",
                "decoder_block_out_channels | [8, 24, 32] | 16 in place of 24",
                "upsample_factor | [2, 2, 3] | divisors of the channels (32 at level 2)",
                "upsample_factor | [2, 2, 16] | of the 8 pixels that one becomes",
                "upsample_residual | [true] | an array of 3",
                "upsample_type | [\"spatial\", \"spatial\", \"spatial\"] | double height, width and frames as often",
                "spatial_compression_ratio | 16 | 32",
                "temporal_compression_ratio | 4 | 8",
            })
    void refusesOtherLtxVaes(String key, String value, String expected) throws IOException {
        Json json = edited(GOLDEN.resolve("ltx2-vae"), key, value);
        assertThatThrownBy(() -> LtxVaeConfig.of(json))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(key)
                .hasMessageContaining(expected);
    }

    /** The decoder's lists go the other way round, all but its types. */
    @Test
    void readsTheListsOfLtxVaes() throws IOException {
        Path folder = GOLDEN.resolve("ltx2-vae");
        LtxVaeConfig config = LtxVaeConfig.of(Json.read(folder.resolve("config.json")));
        assertThat(config.spatialFactor()).isEqualTo(32);
        assertThat(config.temporalFactor()).isEqualTo(8);
        assertThat(config.latentChannels()).isEqualTo(16);
        assertThat(config.encoder().causal()).isTrue();
        assertThat(config.encoder().padding()).isEqualTo(Padding.ZEROS);
        assertThat(config.decoder().padding()).isEqualTo(Padding.REFLECT);
        assertThat(config.encoder().levels())
                .extracting(LtxVaeConfig.Level::in)
                .containsExactly(16, 8, 16, 16);
        Json other = edited(folder, "upsample_factor", "[4, 1, 2]");
        String text = other.node().toString();
        text =
                text.replace(
                        "\"decoder_block_out_channels\":[8,16,32]",
                        "\"decoder_block_out_channels\":[16,16,32]");
        text =
                text.replace(
                        "\"upsample_residual\":[true,true,true]",
                        "\"upsample_residual\":[false,true,true]");
        text =
                text.replace(
                        "\"decoder_layers_per_block\":[1,1,1,1]",
                        "\"decoder_layers_per_block\":[1,2,3,4]");
        text = text.replace("\"decoder_causal\":true", "\"decoder_causal\":false");
        text =
                text.replace(
                        "\"upsample_type\":[\"spatiotemporal\",\"spatiotemporal\",\"spatiotemporal\"]",
                        "\"upsample_type\":[\"spatial\",\"spatiotemporal\",\"spatiotemporal\"]");
        text =
                text.replace(
                        "\"downsample_type\":[\"spatial\",\"temporal\",\"spatiotemporal\",\"spatiotemporal\"]",
                        "\"downsample_type\":[\"spatial\",\"temporal\",\"spatial\",\"spatiotemporal\"]");
        LtxVaeConfig.Side decoder = LtxVaeConfig.of(Json.parse("config.json", text)).decoder();
        assertThat(decoder.causal()).isFalse();
        assertThat(decoder.middle()).isEqualTo(4);
        assertThat(decoder.levels())
                .containsExactly(
                        new LtxVaeConfig.Level(32, 16, 3, new Block(1, 2, 2), true),
                        new LtxVaeConfig.Level(16, 16, 2, new Block(2, 2, 2), true),
                        new LtxVaeConfig.Level(16, 4, 1, new Block(2, 2, 2), false));
    }

    @Test
    void acceptsTheCausalTransformersName() throws IOException {
        Json json =
                edited(
                        GOLDEN.resolve("transformer-head112"),
                        "_class_name",
                        "\"SanaVideoCausalTransformer3DModel\"");
        assertThat(TransformerConfig.of(json).width()).isEqualTo(224);
    }

    @Test
    void readsOlderTextEncoderConfigs() {
        Gemma2Config config =
                Gemma2Config.of(Json.read(RELEASED.resolve("text_encoder/config.json")));
        assertThat(config.ropeTheta()).isEqualTo(10_000);
        assertThat(config.sliding()).startsWith(true, false, true, false).hasSize(26);
    }

    /** Counts of the released files. */
    @Test
    void listsTheReleasedTensors() {
        TensorList transformer =
                TransformerTensors.of(
                        TransformerConfig.of(
                                Json.read(RELEASED.resolve("transformer/config.json"))));
        assertThat(transformer.shapes()).hasSize(496);
        assertThat(transformer.elements()).isEqualTo(2_056_862_144L);
        TensorList text =
                Gemma2Tensors.of(
                        Gemma2Config.of(Json.read(RELEASED.resolve("text_encoder/config.json"))),
                        "");
        assertThat(text.shapes()).hasSize(288);
        Path wide = RELEASED.resolveSibling("720p");
        TensorList transformer720 =
                TransformerTensors.of(
                        TransformerConfig.of(Json.read(wide.resolve("transformer/config.json"))));
        assertThat(transformer720.elements()).isEqualTo(2_057_148_928L);
        TensorList vae =
                WanVaeTensors.of(WanVaeConfig.of(Json.read(RELEASED.resolve("vae/config.json"))));
        // The released file has 507,591,892 bytes: four a number, and a header of some 20 kB.
        assertThat(507_591_892L - 4 * vae.elements()).isBetween(15_000L, 30_000L);
    }
}
