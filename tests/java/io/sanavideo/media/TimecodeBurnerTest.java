package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TimecodeBurnerTest {
    private static final byte GREY = 100;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "8, 0, 00:00:00:00",
        "8, 7, 00:00:00:07",
        "8, 8, 00:00:01:00",
        "8, 28799, 00:59:59:07",
        "24, 86399, 00:59:59:23",
        "24, 86400, 01:00:00:00",
        "23.976, 24, 00:00:01:00",
        "29.97, 1800, 00:01:00:00",
        "100, 199, 00:00:01:99",
        "240, 239, 00:00:00:239",
        "240, 247, 00:00:01:007",
        "0.4, 61, 00:01:01:00",
        "24, 2073600, 00:00:00:00"
    })
    void framesAreCountedAtTheRoundedRate(double fps, long frame, String code) {
        assertThat(Timecode.of(fps).at(frame)).isEqualTo(code);
    }

    private static ByteBuffer picture(int width, int height) {
        byte[] pixels = new byte[width * height * 3];
        Arrays.fill(pixels, GREY);
        return ByteBuffer.wrap(pixels);
    }

    /** Rows of the picture's lower left part: white is #, black is a point, the picture a space. */
    private static List<String> drawn(ByteBuffer rgb, int width, int height, int rows) {
        List<String> lines = new ArrayList<>();
        for (int y = height - rows; y < height; y++) {
            StringBuilder line = new StringBuilder();
            for (int x = 0; x < width; x++) {
                int at = rgb.position() + (y * width + x) * 3;
                assertThat(rgb.get(at + 1)).isEqualTo(rgb.get(at));
                assertThat(rgb.get(at + 2)).isEqualTo(rgb.get(at));
                line.append(rgb.get(at) == GREY ? ' ' : rgb.get(at) == 0 ? '.' : '#');
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    @Test
    void theSmallestPictureHasItsTimeInTheLowerLeft() {
        ByteBuffer rgb = picture(64, 64);
        new TimecodeBurner(64, 64, 8).burn(rgb, ((12 * 60 + 34) * 60 + 58) * 8 + 7);
        assertThat(drawn(rgb, 64, 64, 14))
                .containsExactly(
                        "",
                        "  .........................................................",
                        "  .........................................................",
                        "  ....#....###.....###.....#....#####..###.....###..#####..",
                        "  ...##...#...#...#...#...##....#.....#...#...#...#.....#..",
                        "  ....#.......#.#.....#..#.#..#.####..#...#.#.#..##....#...",
                        "  ....#.....##......##..#..#........#..###....#.#.#...#....",
                        "  ....#....#....#.....#.#####.#.....#.#...#.#.##..#...#....",
                        "  ....#...#.......#...#....#....#...#.#...#...#...#..#.....",
                        "  ...###..#####....###.....#.....###...###.....###...#.....",
                        "  .........................................................",
                        "  .........................................................",
                        "",
                        "");
        assertThat(drawn(rgb, 64, 50, 50)).containsOnly("");
    }

    @Test
    void everyDigitIsItsOwn() {
        List<List<String>> seen = new ArrayList<>();
        for (int digit = 0; digit < 10; digit++) {
            ByteBuffer rgb = picture(64, 64);
            new TimecodeBurner(64, 64, 10).burn(rgb, digit);
            seen.add(drawn(rgb, 64, 64, 14));
        }
        assertThat(seen).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({"832, 480, 3", "1280, 720, 5", "480, 832, 6", "64, 1024, 1", "57, 11, 1"})
    void lettersGrowWithThePictureAndStayInIt(int width, int height, int scale) {
        ByteBuffer rgb = picture(width, height);
        new TimecodeBurner(width, height, 24).burn(rgb, 0);
        int black = 0;
        int white = 0;
        for (int at = 0; at < rgb.capacity(); at += 3) {
            black += rgb.get(at) == 0 ? 1 : 0;
            white += rgb.get(at) == -1 ? 1 : 0;
        }
        assertThat(black + white).isEqualTo(57 * 11 * scale * scale);
        assertThat(white).isEqualTo((8 * 19 + 3 * 2) * scale * scale);
    }

    @Test
    void theBufferIsReadFromItsPositionWhichStays() {
        ByteBuffer rgb = ByteBuffer.allocateDirect(7 + 64 * 64 * 3);
        rgb.position(7);
        rgb.put(picture(64, 64)).position(7);
        new TimecodeBurner(64, 64, 8).burn(rgb, 3);
        assertThat(rgb.position()).isEqualTo(7);
        ByteBuffer same = picture(64, 64);
        new TimecodeBurner(64, 64, 8).burn(same, 3);
        assertThat(rgb).isEqualTo(same);
        TimecodeBurner burner = new TimecodeBurner(64, 64, 8);
        assertThatThrownBy(() -> burner.burn(picture(64, 32), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("64x64", "12288", "6144");
    }

    @Test
    void theBoxGrowsWithTheDigits() {
        ByteBuffer rgb = picture(64, 64);
        new TimecodeBurner(64, 64, 240).burn(rgb, 0);
        assertThat(drawn(rgb, 64, 64, 12).get(0)).isEqualTo(" " + ".".repeat(63));
    }

    @ParameterizedTest
    @CsvSource({"56, 64", "64, 10"})
    void picturesWithoutRoomAreRefused(int width, int height) {
        assertThatThrownBy(() -> new TimecodeBurner(width, height, 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(width + "x" + height, "57x11");
    }

    /** At the coarsest quality a pixel of a letter is still told from the box around it. */
    @Test
    void theSmallestPictureIsLegibleWhenItWasEncoded() {
        Path path = folder.resolve("clip.mp4");
        TimecodeBurner burner = new TimecodeBurner(64, 64, 8);
        List<ByteBuffer> frames = new ArrayList<>();
        try (ClipWriter writer = ClipWriter.open(path, 64, 64, 8, Quality.LOW)) {
            for (int i = 0; i < 17; i++) {
                ByteBuffer rgb = MovingSquare.of(64, 64).frame(i);
                burner.burn(rgb, i);
                writer.write(rgb);
                frames.add(rgb);
            }
            writer.finish(Map.of());
        }
        ByteBuffer shown = ByteBuffer.allocate(64 * 64 * 3);
        try (ClipReader reader = ClipReader.open(path)) {
            for (ByteBuffer frame : frames) {
                assertThat(reader.read(shown)).isTrue();
                for (int y = 64 - 13; y < 64 - 2; y++) {
                    for (int x = 2; x < 59; x++) {
                        int at = (y * 64 + x) * 3 + 1;
                        int light = shown.get(at) & 0xFF;
                        boolean isLetter = frame.get(at) != 0;
                        assertThat(light > 127).as("x %d, y %d", x, y).isEqualTo(isLetter);
                    }
                }
            }
        }
    }
}
