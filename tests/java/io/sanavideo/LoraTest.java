package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How LoRAs are named. */
class LoraTest {
    @ParameterizedTest
    @CsvSource({
        "style.safetensors, style.safetensors, 1",
        "style.safetensors:0.5, style.safetensors, 0.5",
        "a/b.safetensors:-1e-1, a/b.safetensors, -0.1",
        "a:2/b, a:2/b, 1",
        "a:2.safetensors, a:2.safetensors, 1",
        "a:2.safetensors:3, a:2.safetensors, 3",
        "style:0, style, 0",
    })
    void fileAndScale(String text, Path file, double scale) {
        assertThat(Lora.parse(text)).isEqualTo(new Lora(file, scale));
    }

    @ParameterizedTest
    @ValueSource(strings = {"x.safetensors:", "x.safetensors:much", "x.safetensors:NaN", "x:1e999"})
    void scalesThatAreNone(String text) {
        assertThatThrownBy(() -> Lora.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the scale of")
                .hasMessageContaining("number");
    }

    @Test
    void modes() {
        for (LoraMode mode : LoraMode.values()) {
            assertThat(LoraMode.parse(mode.label())).isEqualTo(mode);
        }
        assertThatThrownBy(() -> LoraMode.parse("fuse"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'fuse', expected merge or run");
    }
}
