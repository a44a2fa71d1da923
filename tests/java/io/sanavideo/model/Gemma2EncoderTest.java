package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class Gemma2EncoderTest {
    private static final Path GOLDEN = Path.of("tests/golden/gemma2");

    @TempDir Path folder;

    private double error(Path component) {
        try (Context context = Context.cpu(0)) {
            return new Gemma2Check()
                    .run(context, component, DType.F32, false, output -> true)
                    .get(0)
                    .relativeL2();
        }
    }

    @Test
    void readsALanguageModelsNames() throws IOException {
        ModelFolder.of(GOLDEN)
                .config("Gemma2Model", "Gemma2ForCausalLM")
                .rename(name -> "model." + name)
                .put("lm_head.weight", new float[320 * 48], 320L, 48L)
                .write(folder);
        assertThat(error(folder)).isLessThan(2e-5);
    }

    @Test
    void readsOlderConfigs() throws IOException {
        ModelFolder.of(GOLDEN)
                .config("\"rope_parameters\": {", "\"ignored\": {")
                .config("\"rope_type\": \"default\"\n  }", "\"x\": 0}, \"rope_theta\": 10000.0")
                .config("\"layer_types\"", "\"ignored_types\"")
                .write(folder);
        assertThat(error(folder)).isLessThan(2e-5);
    }

    /** The reference's values depend on each of these, so the encoder's must. */
    @ParameterizedTest
    @MethodSource
    void followsItsConfig(String text, String replacement) throws IOException {
        ModelFolder.of(GOLDEN).config(text, replacement).write(folder);
        assertThat(error(folder)).isGreaterThan(1e-4);
    }

    static Stream<Arguments> followsItsConfig() {
        return Stream.of(
                Arguments.of("\"sliding_window\": 8", "\"sliding_window\": 512"),
                Arguments.of("\"query_pre_attn_scalar\": 24", "\"query_pre_attn_scalar\": 16"),
                Arguments.of("\"attn_logit_softcapping\": 50.0", "\"attn_logit_softcapping\": 0.5"),
                Arguments.of("\"rope_theta\": 10000.0", "\"rope_theta\": 100.0"),
                Arguments.of("\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": 1e-01"),
                Arguments.of("\"sliding_attention\"", "\"full_attention\""));
    }

    @Test
    void refusesWrongTexts() {
        try (Context context = Context.cpu(1);
                Gemma2Encoder encoder = Gemma2Encoder.load(context, GOLDEN, DType.F32)) {
            long before = context.memoryInUse();
            assertThatThrownBy(() -> encoder.encode(new int[0]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("0 tokens")
                    .hasMessageContaining("1 to 512");
            assertThatThrownBy(() -> encoder.encode(new int[513]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("513 tokens");
            assertThatThrownBy(() -> encoder.encode(new int[] {2, 320}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("320");
            assertThat(context.memoryInUse()).isEqualTo(before);
        }
    }

    @Test
    void refusesOtherTensors() throws IOException {
        ModelFolder.of(GOLDEN)
                .put("layers.4.input_layernorm.weight", new float[48], 48L)
                .write(folder);
        try (Context context = Context.cpu(1)) {
            assertThatThrownBy(() -> Gemma2Encoder.load(context, folder, DType.F32))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("unexpected tensor 'layers.4.input_layernorm.weight'");
            assertThat(context.memoryInUse()).isZero();
        }
    }
}
