package io.sanavideo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.Device;
import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.Quantization;
import io.sanavideo.Receipt;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.pipeline.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How a model is quantised from Java: it ends when told to, and leaves a whole model or nothing.
 */
class QuantizerTest {
    private static final List<TextToVideo> CLIPS = List.of(TinyModel.request().steps(3).build());

    @TempDir private static Path shared;
    private static Path dense;

    @TempDir private Path folder;

    @BeforeAll
    static void write() throws IOException {
        dense = TinyModel.write(shared).root();
    }

    private static Quantization quantization() {
        return Quantization.of(dense, Device.cpu(1)).withCalibration(CLIPS).withChecks(CLIPS);
    }

    /** The dense model's weights are no NVFP4 ones. */
    @Test
    void whatCannotBeImportedIsRefusedBeforeClipsAreMade() {
        Quantization imported = quantization().withImported(dense.resolve("transformer"));

        assertThatThrownBy(() -> new Quantizer(imported))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("holds no whole NVFP4 layer");
    }

    /**
     * In the middle of the dense model's clip, of the layers, and of the quantised model's; what is
     * being loaded is loaded whole first.
     */
    @ParameterizedTest
    @CsvSource({"LOAD, 1", "DENOISE, 2", "DECODE, 1", "QUANTIZE, 1", "QUANTIZE, 4", "DENOISE, 6"})
    void aCancelledRunLeavesNothing(Phase phase, int time) {
        Path out = folder.resolve("out");
        try (Quantizer quantizer = new Quantizer(quantization())) {
            AtomicInteger times = new AtomicInteger();
            ProgressListener listener =
                    progress -> {
                        if (progress.phase() == phase && times.incrementAndGet() == time) {
                            quantizer.cancel();
                        }
                    };

            assertThatThrownBy(() -> quantizer.write(out, listener))
                    .isInstanceOf(CancelledException.class);

            if (phase != Phase.LOAD) {
                assertThat(times).as("it ends soon").hasValueLessThanOrEqualTo(time + 1);
            }
            assertThat(out).doesNotExist();
            assertThat(quantizer.write(out, ProgressListener.NONE).checks())
                    .as("it can be run again")
                    .hasSize(1);
        }
    }

    @Test
    void anotherThreadCancels() throws InterruptedException {
        Path out = folder.resolve("out");
        TextToVideo longer = TinyModel.request().frames(65).steps(1000).build();
        try (Quantizer quantizer = new Quantizer(quantization().withChecks(List.of(longer)))) {
            Thread[] canceller = new Thread[1];
            ProgressListener listener =
                    progress -> {
                        if (progress.total() == 1000 && canceller[0] == null) {
                            canceller[0] = new Thread(quantizer::cancel);
                            canceller[0].start();
                        }
                    };

            assertThatThrownBy(() -> quantizer.write(out, listener))
                    .isInstanceOf(CancelledException.class);
            canceller[0].join();
            assertThat(out).doesNotExist();
        }
    }

    @Test
    void whatFailsLeavesNothingButWhatWasThere() throws IOException {
        Path mine = Files.writeString(folder.resolve("mine"), "mine");
        ProgressListener failing =
                progress -> {
                    if (progress.phase() == Phase.QUANTIZE && progress.step() > 0) {
                        throw new IllegalStateException("in the middle of the layers");
                    }
                };

        try (Quantizer quantizer = new Quantizer(Quantization.of(dense, Device.cpu(1)))) {
            assertThatThrownBy(() -> quantizer.write(folder.resolve("out"), failing))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("in the middle of the layers");
            assertThatThrownBy(() -> quantizer.write(folder, ProgressListener.NONE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("is not empty");
        }

        assertThat(folder.resolve("out")).doesNotExist();
        assertThat(mine).hasContent("mine");
    }

    /** Both models' clips are told, and the layers' elements in between. */
    @Test
    void progressIsOfClipsAndLayers() {
        List<Phase> phases = new ArrayList<>();
        ProgressListener listener =
                progress -> {
                    if (phases.isEmpty() || phases.get(phases.size() - 1) != progress.phase()) {
                        phases.add(progress.phase());
                    }
                };
        Receipt receipt;
        try (Quantizer quantizer = new Quantizer(quantization())) {
            receipt = quantizer.write(folder.resolve("out"), listener);
        }

        assertThat(phases)
                .containsExactly(
                        Phase.LOAD,
                        Phase.ENCODE,
                        Phase.DENOISE,
                        Phase.DECODE,
                        Phase.QUANTIZE,
                        Phase.LOAD,
                        Phase.ENCODE,
                        Phase.DENOISE,
                        Phase.DECODE);
        assertThat(Receipt.read(folder.resolve("out"))).isEqualTo(receipt);
        try (SanaVideo sana =
                SanaVideo.open(
                        Model.at(folder.resolve("out"), Device.cpu(1)), ProgressListener.NONE)) {
            assertThat(sana.generate(CLIPS.get(0))).isNotNull();
        }
    }

    @Test
    void clipsNeedSeeds() {
        List<TextToVideo> unseeded = List.of(TextToVideo.prompt("a clip").build());

        assertThatThrownBy(() -> quantization().withChecks(unseeded))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("the seed of a clip");
        assertThatThrownBy(() -> quantization().withCalibration(unseeded))
                .isInstanceOf(NullPointerException.class);
    }
}
