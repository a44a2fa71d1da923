package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.DoesNotFitException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GifWriterTest {
    @TempDir Path folder;

    private Path write(MovingSquare clip, int frames, double fps, Map<String, String> metadata) {
        Path target = folder.resolve("clip.gif");
        try (ClipWriter writer =
                ClipWriter.open(target, clip.width(), clip.height(), fps, Quality.HIGH)) {
            assertThat(writer.codec()).isEqualTo("gif");
            clip.writeAll(writer, frames);
            writer.finish(metadata);
        }
        return target;
    }

    @Test
    void framesComeBackInTheirColours() {
        MovingSquare clip = MovingSquare.of(63, 49);
        Path target = write(clip, 17, 16, Map.of());
        ByteBuffer rgb = ByteBuffer.allocate(63 * 49 * 3);
        try (ClipReader reader = ClipReader.open(target)) {
            assertThat(reader.info().codec()).isEqualTo("gif");
            assertThat(reader.info().frames()).isEqualTo(17);
            assertThat(reader.info().width()).isEqualTo(63);
            assertThat(reader.info().height()).isEqualTo(49);
            for (int i = 0; i < 17; i++) {
                assertThat(reader.read(rgb)).isTrue();
                assertThat(clip.largestError(i, rgb, 0)).as("frame %d", i).isZero();
            }
            assertThat(reader.read(rgb)).isFalse();
        }
    }

    @Test
    void loopsForEverAndDelaysDoNotDrift() throws IOException {
        GifBlocks blocks = GifBlocks.of(write(MovingSquare.of(64, 64), 17, 16, Map.of()));
        assertThat(blocks.loops()).isZero();
        assertThat(blocks.delays()).hasSize(17).allMatch(delay -> delay == 6 || delay == 7);
        // 17 frames at 16 a second last 1.0625 s.
        assertThat(blocks.delays().stream().mapToInt(Integer::intValue).sum()).isBetween(106, 107);
    }

    @Test
    void metadataComesBackWhole() {
        Map<String, String> metadata =
                Map.of(
                        "recipe",
                        "{\"prompt\":\"Käfer 🐞\",\"filler\":\"" + "x".repeat(5000) + "\"}",
                        "frame_hash",
                        "00ff",
                        "note",
                        "{ not json");
        assertThat(ClipInfo.read(write(MovingSquare.of(64, 64), 2, 16, metadata)).metadata())
                .containsAllEntriesOf(metadata);
    }

    @Test
    void smoothPictureStaysNearItself() {
        int side = 96;
        ByteBuffer rgb = ByteBuffer.allocate(side * side * 3);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                rgb.put((byte) (x * 255 / side));
                rgb.put((byte) (y * 255 / side));
                rgb.put((byte) ((x + y) * 255 / (2 * side)));
            }
        }
        Path target = folder.resolve("smooth.gif");
        try (ClipWriter writer = ClipWriter.open(target, side, side, 10, Quality.HIGH)) {
            writer.write(rgb.flip());
            writer.finish(Map.of());
        }
        ByteBuffer back = ByteBuffer.allocate(side * side * 3);
        try (ClipReader reader = ClipReader.open(target)) {
            reader.read(back);
        }
        double squares = 0;
        double drift = 0;
        for (int i = 0; i < back.capacity(); i++) {
            double error = (back.get(i) & 0xFF) - (rgb.get(i) & 0xFF);
            squares += error * error;
            drift += error;
        }
        assertThat(Math.sqrt(squares / back.capacity())).isLessThan(10);
        // Error diffusion keeps the mean.
        assertThat(Math.abs(drift / back.capacity())).isLessThan(0.3);
    }

    @Test
    void rateAboveWhatPlayersShowIsRefused() {
        assertThatThrownBy(
                        () -> ClipWriter.open(folder.resolve("clip.gif"), 64, 64, 60, Quality.LOW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("60.0 frames a second", "at most 50");
    }

    @Test
    void fullDiskIsSaidAndLeavesNothing() throws IOException {
        Path target = folder.resolve("clip.gif");
        Path part = Files.createSymbolicLink(folder.resolve("part"), Path.of("/dev/full"));
        Random random = new Random(7);
        byte[] noise = new byte[128 * 128 * 3];
        try (ClipWriter writer =
                new GifWriter(new PartialOutput(target, part), 128, 128, FrameRate.of(10))) {
            assertThatThrownBy(
                            () -> {
                                for (int i = 0; i < 8; i++) {
                                    random.nextBytes(noise);
                                    writer.write(ByteBuffer.wrap(noise));
                                }
                                writer.finish(Map.of());
                            })
                    .isInstanceOf(DoesNotFitException.class)
                    .hasMessageContainingAll(target.toString(), "there is no room for it");
        }
        assertThat(folder).isEmptyDirectory();
    }

    /**
     * The parts of a GIF file that matter to a player, read by the format's specification (GIF89a).
     */
    private record GifBlocks(int loops, List<Integer> delays) {
        static GifBlocks of(Path path) throws IOException {
            byte[] file = Files.readAllBytes(path);
            int at = 13 + tableBytes(file[10]);
            int loops = -1;
            List<Integer> delays = new ArrayList<>();
            while (file[at] != 0x3B) {
                if (file[at] == 0x2C) {
                    at += 10 + tableBytes(file[at + 9]) + 1;
                } else {
                    if (file[at + 1] == (byte) 0xF9) {
                        delays.add(unsigned(file, at + 4));
                    }
                    if (file[at + 1] == (byte) 0xFF
                            && new String(file, at + 3, 11, StandardCharsets.US_ASCII)
                                    .equals("NETSCAPE2.0")) {
                        loops = unsigned(file, at + 16);
                    }
                    at += 2;
                }
                while (file[at] != 0) {
                    at += 1 + (file[at] & 0xFF);
                }
                at++;
            }
            assertThat(at).isEqualTo(file.length - 1);
            return new GifBlocks(loops, delays);
        }

        private static int tableBytes(byte packed) {
            return (packed & 0x80) == 0 ? 0 : 3 << ((packed & 7) + 1);
        }

        private static int unsigned(byte[] file, int at) {
            return (file[at] & 0xFF) | (file[at + 1] & 0xFF) << 8;
        }
    }
}
