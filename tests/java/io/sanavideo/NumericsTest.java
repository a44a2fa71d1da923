package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run whose numbers overflow stops at that step and says where they did. */
class NumericsTest {
    /** The largest finite bf16. */
    private static final int HUGE = 0x7f7f;

    private static final int WIDTH = 128;
    private static final int HIDDEN = 3 * WIDTH;

    @TempDir private Path folder;
    private DemoCopy copy;

    @BeforeEach
    void makeCopy() throws IOException {
        copy = DemoCopy.at(folder.resolve("model"));
    }

    @AfterEach
    void deleteCopy() throws IOException {
        copy.delete("");
    }

    @ParameterizedTest
    @CsvSource({"F32", "BF16"})
    void namesBlockAndOpOnTheCpu(Precision precision) throws IOException {
        feedForwardOf(3);
        requireSource(Device.cpu(), precision, "the feed-forward of block 3");
    }

    @Tag("gpu")
    @Test
    void namesBlockAndOpOnACard() throws IOException {
        feedForwardOf(3);
        requireSource(Device.cuda(0), Precision.AUTO, "the feed-forward of block 3");
    }

    @Test
    void namesTheFirstOfSeveral() throws IOException {
        feedForwardOf(4);
        feedForwardOf(1);
        requireSource(Device.cpu(), Precision.F32, "the feed-forward of block 1");
    }

    @Test
    void namesTheOutputProjection() throws IOException {
        copy.element(DemoCopy.TRANSFORMER, "proj_out.bias", 0, HUGE);
        for (int i = 0; i < WIDTH; i++) {
            copy.element(DemoCopy.TRANSFORMER, "proj_out.weight", i, HUGE);
        }
        requireSource(Device.cpu(), Precision.F32, "the output projection");
    }

    /** Two factors of the gated feed-forward are so large that their product is infinite. */
    private void feedForwardOf(int block) throws IOException {
        String bias = "transformer_blocks.%d.ff.conv_depth.bias".formatted(block);
        copy.element(DemoCopy.TRANSFORMER, bias, 0, HUGE)
                .element(DemoCopy.TRANSFORMER, bias, HIDDEN, HUGE);
    }

    private void requireSource(Device device, Precision precision, String source) {
        TextToVideo request =
                TextToVideo.prompt("a red circle").size(16, 16).frames(1).steps(2).seed(1).build();
        try (SanaVideo sana =
                SanaVideo.open(copy.root(), device, precision, ProgressListener.NONE)) {
            assertThatThrownBy(() -> sana.generate(request))
                    .isInstanceOf(NumericsException.class)
                    .hasMessageContainingAll(
                            "denoising step 1 of 2",
                            "the velocity holds NaN or infinity, which come from " + source + ";",
                            "--dtype f32");
        }
    }
}
