package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.StartImage;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageWriterTest {
    @TempDir private Path folder;

    /** All 16 bits of each colour. */
    @Test
    void readsAsWritten() {
        Random random = new Random(5);
        short[] rgb = new short[7 * 5 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (short) random.nextInt();
        }
        StartImage image = new StartImage(7, 5, rgb);
        Path file = folder.resolve("image.ppm");
        ImageWriter.write(image, file);
        StartImage read = StartImage.read(file);
        assertThat(read.rgb()).isEqualTo(rgb);
        assertThat(read.sha256()).isEqualTo(image.sha256());
        assertThat(file.getParent()).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void saysWhichFileCannotBeWritten() {
        StartImage image = new StartImage(1, 1, new short[3]);
        Path file = Path.of("/proc/nothing/image.ppm");
        assertThatThrownBy(() -> ImageWriter.write(image, file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("/proc/nothing/image.ppm");
    }
}
