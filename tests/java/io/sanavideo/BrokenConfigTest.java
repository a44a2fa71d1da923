package io.sanavideo;

import static io.sanavideo.DemoCopy.TEXT_ENCODER;
import static io.sanavideo.DemoCopy.TRANSFORMER;

import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Model folders whose configurations ask for what cannot be. */
class BrokenConfigTest extends BrokenModel {
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
                value(TRANSFORMER_CONFIG, "num_layers", "2000000000", "from 1 to 1000"),
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
                value(
                        TRANSFORMER_CONFIG,
                        "in_channels",
                        "4",
                        "in_channels is 4",
                        "the VAE's latent channels, 16"),
                value(TEXT_CONFIG, "hidden_size", "\"96\"", "'hidden_size' is \"96\""),
                value(TEXT_CONFIG, "num_key_value_heads", "3", "'num_key_value_heads' is 3"),
                value(TEXT_CONFIG, "hidden_activation", "\"relu\"", "gelu_pytorch_tanh"),
                value(TEXT_CONFIG, "layer_types", "[\"full_attention\"]", "'layer_types'"),
                value(TEXT_CONFIG, "num_hidden_layers", "2000000000", "from 1 to 1000"),
                value(TEXT_CONFIG, "num_attention_heads", "2000000000", "num_attention_heads"),
                value(TEXT_CONFIG, "vocab_size", "100", "embed_tokens.weight", "[100, 96]"),
                value(TEXT_CONFIG, "rms_norm_eps", "Infinity", "'rms_norm_eps'", "finite"),
                value(VAE_CONFIG, "latents_mean", "[0.5]", "'latents_mean'", "16"),
                value(VAE_CONFIG, "latents_std", "\"none\"", "'latents_std'", "an array"),
                value(VAE_CONFIG, "dim_mult", "[1, 2, \"4\", 4]", "'dim_mult[2]'"),
                value(VAE_CONFIG, "dim_mult", "[]", "'dim_mult'", "1 to 16 levels"),
                value(VAE_CONFIG, "dim_mult", "[1" + ", 1".repeat(16) + "]", "1 to 16 levels"),
                value(VAE_CONFIG, "num_res_blocks", "2000000000", "from 1 to 1000"),
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
                        "the VAE's latent channels, 16"),
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
                        "fewer embeddings than tokens",
                        copy ->
                                copy.set(TEXT_CONFIG, "vocab_size", "514")
                                        .reshape(
                                                TEXT_ENCODER,
                                                "embed_tokens.weight",
                                                "BF16",
                                                514,
                                                96),
                        TEXT_CONFIG,
                        "vocab_size is 514, expected 515",
                        TOKENIZER,
                        "ids up to 514"),
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

    @ParameterizedTest
    @MethodSource({"configurations", "components"})
    void saysWhatIsWrong(Row row) throws IOException {
        assertRefused(row);
    }
}
