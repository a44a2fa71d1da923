package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PreviewTest {
    /** Keeps every frame's pixels. */
    private static final class Kept implements FrameSink {
        private final List<byte[]> frames = new ArrayList<>();
        private ClipFormat format;

        @Override
        public void begin(ClipFormat given) {
            format = given;
        }

        @Override
        public void accept(Frame frame) {
            frames.add(frame.toBytes());
        }
    }

    @Test
    void latentsOfTheLastStepDecodeToTheClip() {
        try (SanaVideo sana = SanaVideo.open(SanaVideo.demoModel(), Device.cpu())) {
            Kept preview = new Kept();
            Clip clip =
                    sana.generate(
                            TextToVideo.prompt("a red circle moving left").steps(2).seed(1).build(),
                            progress -> {
                                if (progress.phase() == Progress.Phase.DENOISE
                                        && progress.step() == progress.total()) {
                                    sana.decode(progress.latents(), preview);
                                }
                            });
            Kept whole = new Kept();
            clip.decode(whole, ProgressListener.NONE);
            assertThat(preview.format).isEqualTo(whole.format);
            assertThat(preview.frames).hasSize(17).containsExactlyElementsOf(whole.frames);
            Latents wrong = new Latents(1, 8, 8, 3, new float[192]);
            assertThatThrownBy(() -> sana.decode(wrong, preview))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("3 channels");
        }
    }
}
