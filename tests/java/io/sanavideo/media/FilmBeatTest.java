package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FilmBeatTest {
    @TempDir Path folder;

    /** Chapters are stored in milliseconds, which are finer than frames. */
    @ParameterizedTest
    @ValueSource(doubles = {0.5, 8, 23.976, 24, 29.97, 60, 240})
    void beatsComeBackFromTheFileAtAnyRate(double fps) {
        StoryFilm film = StoryFilm.of(64, 64, fps);
        assertThat(FilmBeat.read(film.write(folder.resolve("film.mp4")))).isEqualTo(film.beats());
    }

    @Test
    void aGifHasNoChapters() {
        Path gif = StoryFilm.of(64, 64, 8).write(folder.resolve("film.gif"));
        assertThat(ClipInfo.read(gif).chapters()).isEmpty();
        assertRefused(gif, "0 chapters and a recipe of 3 beats");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | 3 chapters and a recipe of 0 beats",
                "{\"beats\":[{\"seed\":1},{\"seed\":2}]} | 3 chapters and a recipe of 2 beats",
                "{\"beats\":[{\"seed\":1},{\"seed\":1.5},{\"seed\":2}]} | beat 2 has the seed 1.5",
                "{\"beats\":[{\"seed\":1},{},{\"seed\":2}]} | beat 2 has the seed",
                "{\"beats\": | its recipe is not JSON"
            })
    void aRecipeThatDoesNotFitIsRefused(String recipe, String words) {
        Map<String, String> metadata = Map.of(ClipInfo.RECIPE, recipe);
        assertRefused(StoryFilm.of(64, 64, 8).write(folder.resolve("film.mp4"), metadata), words);
    }

    private static void assertRefused(Path film, String words) {
        assertThatThrownBy(() -> FilmBeat.read(film))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(film.toString(), words);
    }

    @ParameterizedTest
    @CsvSource({"-1, 5, frames -1 to 5", "5, 5, frames 5 to 5", "6, 5, frames 6 to 5"})
    void aChapterHasFrames(long first, long end, String words) {
        assertThatThrownBy(() -> new Chapter("a", first, end))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(words, "expected one frame or more");
    }

    @Test
    void aTitleHasAPlaceInAFile() {
        assertThat(new Chapter("ü".repeat(32767), 0, 1).title()).hasSize(32767);
        assertThatThrownBy(() -> new Chapter("ü".repeat(32768), 0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("65536 bytes", "at most 65535");
        assertThatThrownBy(() -> new FilmBeat(1, "a\0b", 0, 0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("U+0000");
    }

    @Test
    void theLongestTitleComesBack() {
        Chapter chapter = new Chapter("ü".repeat(32767), 0, 1);
        Path path = folder.resolve("clip.mp4");
        try (ClipWriter writer = ClipWriter.open(path, 64, 64, 8, Quality.LOW)) {
            writer.write(MovingSquare.of(64, 64).frame(0));
            writer.finish(Map.of(), List.of(chapter));
        }
        assertThat(ClipInfo.read(path).chapters()).containsExactly(chapter);
    }
}
