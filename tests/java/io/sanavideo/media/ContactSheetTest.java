package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.ModelFormatException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ContactSheetTest {
    private static final int CELL = 320;
    private static final int GAP = 16;

    @TempDir Path folder;

    private BufferedImage sheet(StoryFilm film) throws IOException {
        Path path = film.write(folder.resolve("film.mp4"));
        Path target = folder.resolve("sheet.png");
        ContactSheet.write(path, target);
        return ImageIO.read(target.toFile());
    }

    private static int green(BufferedImage image, int x, int y) {
        return image.getRGB(x, y) >> 8 & 0xFF;
    }

    /** Whether anything darker than white is drawn there. */
    private static boolean isInked(BufferedImage image, int x, int y, int width, int height) {
        for (int i = 0; i < width * height; i++) {
            if (green(image, x + i % width, y + i / width) < 128) {
                return true;
            }
        }
        return false;
    }

    /** The film's first frame is black, so that what a picture shows is told by its grey. */
    @ParameterizedTest
    @CsvSource({"64, 64, 320, 320", "200, 100, 200, 100", "640, 480, 320, 240"})
    void eachBeatHasThePictureFromItsMiddle(int width, int height, int shownWidth, int shownHeight)
            throws IOException {
        StoryFilm film = StoryFilm.of(width, height, 8);
        BufferedImage sheet = sheet(film);
        assertThat(sheet.getWidth()).isEqualTo(GAP + 2 * (CELL + GAP));
        int[] middles = {8, 27, 41};
        int secondRow = sheet.getHeight() - GAP;
        while (green(sheet, GAP + 1, secondRow) != green(sheet, GAP + 1, secondRow - 1)
                || Math.abs(green(sheet, GAP + 1, secondRow) - StoryFilm.grey(41)) > 7) {
            secondRow--;
        }
        secondRow -= shownHeight - 1;
        int[][] corners = {{GAP, GAP}, {2 * GAP + CELL, GAP}, {GAP, secondRow}};
        for (int i = 0; i < 3; i++) {
            int x = corners[i][0];
            int y = corners[i][1];
            int grey = StoryFilm.grey(middles[i]);
            // A frame is five greys lighter than the one before; the encoder may skip one where
            // blocks are cut.
            int middle = green(sheet, x + shownWidth / 2, y + shownHeight / 2);
            assertThat(middle).as("beat %d", i + 1).isCloseTo(grey, within(2));
            int corner = green(sheet, x + shownWidth - 1, y + shownHeight - 1);
            assertThat(corner).as("beat %d", i + 1).isCloseTo(grey, within(7));
            assertThat(green(sheet, x, y)).as("beat %d", i + 1).isCloseTo(grey, within(7));
            assertThat(green(sheet, x - 1, y)).isEqualTo(255);
            assertThat(green(sheet, x + shownWidth, y)).isEqualTo(255);
            assertThat(isInked(sheet, x, y + shownHeight, CELL, 20)).isTrue();
        }
        // The second beat's prompt has 209 letters, more than three lines of the first row.
        assertThat(isInked(sheet, 2 * GAP + CELL, GAP + shownHeight + 60, CELL, 16)).isTrue();
        assertThat(isInked(sheet, GAP, GAP + shownHeight + 60, CELL, 16)).isFalse();
        assertThat(secondRow).isGreaterThan(GAP + shownHeight + 76);
    }

    /** Each prompt is drawn, whatever is between its letters. */
    @Test
    void wordsAreBrokenWhereALineIsFull() {
        Caption one = Caption.of("1", "a fox", 100);
        assertThat(one.lines()).hasSize(2);
        Caption wrapped = Caption.of("1", "a fox crosses the snowy field and stops", 100);
        assertThat(wrapped.lines().size()).isGreaterThan(3);
        assertThat(wrapped.lines()).allMatch(line -> line.getVisibleAdvance() <= 100);
        assertThat(wrapped.height()).isGreaterThan(one.height());
        Caption unbroken = Caption.of("1", "x".repeat(100), 100);
        assertThat(unbroken.lines()).allMatch(line -> line.getVisibleAdvance() <= 100);
        assertThat(unbroken.lines().stream().skip(1).mapToInt(l -> l.getCharacterCount()).sum())
                .isEqualTo(100);
        assertThat(Caption.of("1", " \n ", 100).lines()).hasSize(1);
        assertThat(Caption.of("1", "a\n\tfox", 100).lines().get(1).getCharacterCount())
                .isEqualTo(5);
    }

    @Test
    void manyBeatsStandInSixColumns() throws IOException {
        List<FilmBeat> beats = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            beats.add(new FilmBeat(i + 1, "beat", 0, i, i + 1));
        }
        BufferedImage sheet = sheet(new StoryFilm(64, 64, 8, beats));
        assertThat(sheet.getWidth()).isEqualTo(GAP + 6 * (CELL + GAP));
        assertThat(sheet.getHeight()).isGreaterThan(7 * CELL).isLessThan(7 * (CELL + 70));
    }

    /** Cut where a frame begins, so that nothing in it could not be read. */
    @Test
    void aFilmWithoutItsLastFramesIsDamaged() throws IOException {
        Path film = StoryFilm.of(64, 64, 8).write(folder.resolve("film.mp4"));
        long end = 0;
        try (Demuxer demuxer = new Demuxer(film)) {
            for (int i = 0; i <= 40; i++) {
                assertThat(demuxer.read()).isTrue();
                end = demuxer.packet().pos();
            }
        }
        Files.write(film, Arrays.copyOf(Files.readAllBytes(film), (int) end));
        assertThatThrownBy(() -> ContactSheet.write(film, folder.resolve("sheet.png")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(film.toString(), "ends before its 45 frames");
        assertThat(folder.resolve("sheet.png")).doesNotExist();
    }

    @Test
    void wrongNamesAndFilmsAreRefused() throws IOException {
        assertThatThrownBy(() -> ContactSheet.requirePossible(folder.resolve("sheet.jpg")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("sheet.jpg", ".png");
        Path clip = folder.resolve("clip.mp4");
        try (ClipWriter writer = ClipWriter.open(clip, 64, 64, 8, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 3);
            writer.finish(Map.of());
        }
        assertThatThrownBy(() -> ContactSheet.write(clip, folder.resolve("sheet.png")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("made from a story");
        byte[] film = Files.readAllBytes(StoryFilm.of(64, 64, 8).write(clip));
        Files.write(clip, Arrays.copyOf(film, film.length * 2 / 3));
        assertThatThrownBy(() -> ContactSheet.write(clip, folder.resolve("sheet.png")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(clip.toString());
        assertThat(folder.toFile().list()).containsExactly("clip.mp4");
    }
}
