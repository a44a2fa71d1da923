package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.DoesNotFitException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PngFolderWriterTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({"1, 1", "64, 64", "37, 23"})
    void imagesAreEqualBitForBit(int width, int height) throws IOException {
        Random random = new Random(width);
        List<byte[]> frames = new ArrayList<>();
        Path target = folder.resolve("frames");
        try (ClipWriter writer = ClipWriter.open(target, width, height, 16, Quality.LOW)) {
            assertThat(writer.codec()).isEqualTo("png");
            for (int i = 0; i < 3; i++) {
                byte[] rgb = new byte[width * height * 3];
                random.nextBytes(rgb);
                frames.add(rgb);
                writer.write(ByteBuffer.wrap(rgb));
            }
            assertThat(target).doesNotExist();
            writer.finish(Map.of("recipe", "{\"seed\":7}", "frame_hash", "00ff"));
        }
        for (int i = 0; i < 3; i++) {
            BufferedImage image = ImageIO.read(target.resolve("frame-0000" + i + ".png").toFile());
            assertThat(image.getWidth()).isEqualTo(width);
            assertThat(image.getHeight()).isEqualTo(height);
            assertThat(packed(image)).isEqualTo(frames.get(i));
        }
        try (var files = Files.list(target)) {
            assertThat(files).hasSize(4);
        }
    }

    @Test
    void recipeStandsBesideTheImagesAndInTheFirst() throws IOException {
        Path target = folder.resolve("frames");
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 2);
            writer.finish(Map.of("recipe", "{\"prompt\":\"Käfer 🐞\"}", "frame_hash", "00ff"));
        }
        ObjectMapper mapper = new ObjectMapper();
        var expected =
                mapper.readTree("{\"frame_hash\":\"00ff\",\"recipe\":{\"prompt\":\"Käfer 🐞\"}}");
        String json = Files.readString(target.resolve("recipe.json"));
        assertThat(mapper.readTree(json)).isEqualTo(expected);
        String first =
                Files.readString(target.resolve("frame-00000.png"), StandardCharsets.ISO_8859_1);
        int comment = first.indexOf("iTXtComment\0\0\0\0\0") + "iTXtComment\0\0\0\0\0".length();
        byte[] text =
                first.substring(comment, first.indexOf("IEND") - 8)
                        .getBytes(StandardCharsets.ISO_8859_1);
        assertThat(mapper.readTree(text)).isEqualTo(expected);
    }

    /** The reader of the platform does not look at checksums; others do. */
    @Test
    void chunksCarryTheirChecksums() throws IOException {
        Path target = folder.resolve("frames");
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 1);
            writer.finish(Map.of("note", "text"));
        }
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(target.resolve("frame-00000.png")));
        file.position(8);
        List<String> types = new ArrayList<>();
        while (file.hasRemaining()) {
            ByteBuffer checked = file.slice(file.position() + 4, 4 + file.getInt());
            types.add(StandardCharsets.US_ASCII.decode(checked.slice(0, 4)).toString());
            CRC32 checksum = new CRC32();
            checksum.update(checked.duplicate());
            file.position(file.position() + checked.remaining());
            assertThat(file.getInt()).as(types.toString()).isEqualTo((int) checksum.getValue());
        }
        assertThat(types).containsExactly("IHDR", "sRGB", "IDAT", "iTXt", "IEND");
    }

    @Test
    void emptyFolderIsTakenAndFullOneRefused() throws IOException {
        Path target = Files.createDirectory(folder.resolve("with.dot"));
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 1);
            writer.finish(Map.of());
        }
        assertThat(target.resolve("frame-00000.png")).exists();
        assertThatThrownBy(() -> ClipWriter.open(target, 64, 64, 16, Quality.LOW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(target.toString(), "not an empty folder");
        assertThat(target.resolve("frame-00000.png")).exists();
    }

    @Test
    void fullDiskIsSaidAndLeavesNothing() throws IOException {
        Path part = Files.createDirectory(folder.resolve("part"));
        Files.createSymbolicLink(part.resolve("frame-00001.png"), Path.of("/dev/full"));
        Path target = folder.resolve("frames");
        try (ClipWriter writer = new PngFolderWriter(new PartialOutput(target, part), 64, 64)) {
            MovingSquare clip = MovingSquare.of(64, 64);
            writer.write(clip.frame(0));
            assertThatThrownBy(() -> writer.write(clip.frame(1)))
                    .isInstanceOf(DoesNotFitException.class)
                    .hasMessageContainingAll(target.toString(), "there is no room for it");
        }
        assertThat(folder).isEmptyDirectory();
    }

    private static byte[] packed(BufferedImage image) {
        ByteBuffer rgb = ByteBuffer.allocate(image.getWidth() * image.getHeight() * 3);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int colour = image.getRGB(x, y);
                rgb.put((byte) (colour >> 16)).put((byte) (colour >> 8)).put((byte) colour);
            }
        }
        return rgb.array();
    }
}
