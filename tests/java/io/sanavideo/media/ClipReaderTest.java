package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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

    /**
     * A camera that was held sideways leaves the pixels and says how to turn them (ISO 14496-12,
     * tkhd).
     */
    @Test
    void picturesAreTurnedUpright() throws IOException {
        Path target = folder.resolve("good.mp4");
        MovingSquare square = MovingSquare.of(64, 32);
        try (ClipWriter writer = ClipWriter.open(target, 64, 32, 16, Quality.HIGH)) {
            square.writeAll(writer, 3);
            writer.finish(Map.of());
        }
        byte[] bytes = Files.readAllBytes(target);
        // Shown at (height - y, x): a quarter turn clockwise.
        int matrix = indexOf(bytes, "tkhd") + 4 + 40;
        ByteBuffer.wrap(bytes)
                .putInt(matrix, 0)
                .putInt(matrix + 4, 0x10000)
                .putInt(matrix + 12, -0x10000)
                .putInt(matrix + 16, 0)
                .putInt(matrix + 24, 32 << 16);
        Files.write(target, bytes);
        try (ClipReader reader = ClipReader.open(target)) {
            assertThat(reader.info().width()).isEqualTo(32);
            assertThat(reader.info().height()).isEqualTo(64);
            ByteBuffer turned = ByteBuffer.allocateDirect(32 * 64 * 3);
            assertThat(reader.read(turned)).isTrue();
            ByteBuffer stored = ByteBuffer.allocateDirect(32 * 64 * 3);
            for (int y = 0; y < 32; y++) {
                for (int x = 0; x < 64; x++) {
                    for (int c = 0; c < 3; c++) {
                        stored.put((y * 64 + x) * 3 + c, turned.get((x * 32 + 31 - y) * 3 + c));
                    }
                }
            }
            assertThat(square.largestError(0, stored, 3)).isLessThan(32);
            assertThat(square.largestError(0, turned, 3)).isGreaterThan(64);
        }
    }

    @Test
    void aTiltedClipIsRefused() throws IOException {
        byte[] bytes = clip();
        int matrix = indexOf(bytes, "tkhd") + 4 + 40;
        ByteBuffer.wrap(bytes).putInt(matrix + 4, 0x8000).putInt(matrix + 12, -0x8000);
        refused(bytes, "not a multiple of 90 degrees");
    }

    @Test
    void soundAloneIsRefused() throws IOException {
        byte[] bytes = clip();
        int handler = indexOf(bytes, "vide");
        System.arraycopy("soun".getBytes(StandardCharsets.US_ASCII), 0, bytes, handler, 4);
        refused(bytes, "cannot find pictures");
    }

    private void refused(byte[] bytes, String words) throws IOException {
        Path path = folder.resolve("bad.mp4");
        Files.write(path, bytes);
        assertThatThrownBy(() -> ClipReader.open(path).close())
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll("bad.mp4", words);
    }

    private static int indexOf(byte[] bytes, String word) {
        return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(word);
    }
}
