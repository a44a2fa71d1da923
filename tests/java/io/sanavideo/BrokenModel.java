package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A copy of the demo model and ways to break it. */
abstract class BrokenModel {
    static final String INDEX = "model_index.json";
    static final String DEFAULTS = "generation_defaults.json";
    static final String SCHEDULER = "scheduler/scheduler_config.json";
    static final String TOKENIZER = "tokenizer/tokenizer.json";
    static final String TRANSFORMER_CONFIG = "transformer/config.json";
    static final String VAE_CONFIG = "vae/config.json";
    static final String TEXT_CONFIG = "text_encoder/config.json";

    @TempDir Path folder;
    DemoCopy copy;

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

    interface Breakage {
        void apply(DemoCopy copy) throws IOException;
    }

    /** A way to break the model, and what the message must say. */
    record Row(String name, Breakage breakage, List<String> words) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Row row(String name, Breakage breakage, String... words) {
        return new Row(name, breakage, List.of(words));
    }

    /** A key of a JSON file with another value. */
    static Row value(String file, String key, String value, String... words) {
        String name = file + ": " + key + " is " + value;
        return row(name, copy -> copy.set(file, key, value), words);
    }

    /** Breaks the model; opening it must end in an exception that says what is wrong where. */
    void assertRefused(Row row) throws IOException {
        row.breakage.apply(copy);

        assertThatThrownBy(() -> open(Precision.F32))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(copy.root().toString())
                .satisfies(e -> assertThat(e.getMessage()).contains(row.words));
    }

    SanaVideo open(Precision precision) {
        return SanaVideo.open(copy.root(), Device.cpu(), precision, ProgressListener.NONE);
    }
}
