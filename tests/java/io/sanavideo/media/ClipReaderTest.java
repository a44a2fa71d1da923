package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClipReaderTest {
    @TempDir Path folder;

    private byte[] clip() throws IOException {
        Path target = folder.resolve("good.mp4");
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.HIGH)) {
            MovingSquare.of(64, 64).writeAll(writer, 9);
            writer.finish(Map.of("recipe", "{}"));
        }
        return Files.readAllBytes(target);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "hello"})
    void textIsNotAVideo(String content) throws IOException {
        Path path = Files.writeString(folder.resolve("clip.mp4"), content);
        assertThatThrownBy(() -> ClipInfo.read(path))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(path.toString(), "not a video file", "expected mp4");
    }

    @Test
    void playlistDoesNotOpenOtherFiles() throws IOException {
        clip();
        Path path =
                Files.writeString(
                        folder.resolve("list.mp4"), "ffconcat version 1.0\nfile good.mp4\n");
        assertThatThrownBy(() -> ClipInfo.read(path))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("not a video file");
    }

    @Test
    void missingFileAndFolderAreRefused() {
        assertThatThrownBy(() -> ClipInfo.read(folder.resolve("missing.mp4")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("there is no such file");
        assertThatThrownBy(() -> ClipInfo.read(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("not a readable ordinary file");
    }

    @Test
    void fileCutBeforeItsIndexEndsIsNotAVideo() throws IOException {
        byte[] clip = clip();
        Path path = Files.write(folder.resolve("cut.mp4"), Arrays.copyOf(clip, 300));
        assertThatThrownBy(() -> ClipInfo.read(path))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("not a video file");
    }

    @Test
    void damagedFilesNeverDoMoreThanThrow() throws IOException {
        byte[] clip = clip();
        long seed = System.nanoTime();
        System.out.println("ClipReaderTest seed " + seed);
        Random random = new Random(seed);
        ByteBuffer rgb = ByteBuffer.allocate(1 << 16);
        int refused = 0;
        for (int i = 0; i < 200; i++) {
            byte[] damaged = Arrays.copyOf(clip, 1 + random.nextInt(clip.length));
            for (int k = random.nextInt(20); k >= 0; k--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            Path path = Files.write(folder.resolve("damaged.mp4"), damaged);
            try (ClipReader reader = ClipReader.open(path)) {
                int bytes = reader.info().width() * reader.info().height() * 3;
                while (bytes <= rgb.capacity() && reader.read(rgb)) {
                    assertThat(rgb.position()).isZero();
                }
            } catch (ModelFormatException e) {
                assertThat(e).hasMessageContaining(path.toString());
                refused++;
            }
        }
        assertThat(refused).isPositive();
    }

    @Test
    void smallBufferAndClosedReaderAreRefused() throws IOException {
        clip();
        ClipReader reader = ClipReader.open(folder.resolve("good.mp4"));
        assertThatThrownBy(() -> reader.read(ByteBuffer.allocate(100)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("needs 12288 bytes", "room for 100");
        reader.close();
        reader.close();
        assertThatThrownBy(() -> reader.read(ByteBuffer.allocate(12288)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
    }
}
