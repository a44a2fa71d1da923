package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TimelineTest {
    @TempDir Path folder;

    private JsonNode timeline(Path film, Path target) throws IOException {
        Timeline.write(film, target);
        return new ObjectMapper().readTree(target.toFile());
    }

    private static void assertRange(JsonNode range, long start, long frames, double rate) {
        assertThat(range.path("OTIO_SCHEMA").textValue()).isEqualTo("TimeRange.1");
        assertTime(range.path("start_time"), start, rate);
        assertTime(range.path("duration"), frames, rate);
    }

    private static void assertTime(JsonNode time, long value, double rate) {
        assertThat(time.path("OTIO_SCHEMA").textValue()).isEqualTo("RationalTime.1");
        assertThat(time.path("value").doubleValue()).isEqualTo(value);
        assertThat(time.path("rate").doubleValue()).isEqualTo(rate);
    }

    /** Names and nesting as in OpenTimelineIO's file format, Timeline.1 with Clip.2. */
    @Test
    void everyBeatIsAClipOfTheFilm() throws IOException {
        StoryFilm film = StoryFilm.of(64, 64, 23.976);
        Path path = film.write(folder.resolve("film.mp4"));
        JsonNode timeline = timeline(path, folder.resolve("film.otio"));
        assertThat(timeline.path("OTIO_SCHEMA").textValue()).isEqualTo("Timeline.1");
        assertThat(timeline.path("name").textValue()).isEqualTo("film");
        JsonNode stack = timeline.path("tracks");
        assertThat(stack.path("OTIO_SCHEMA").textValue()).isEqualTo("Stack.1");
        assertThat(stack.path("children")).hasSize(1);
        JsonNode track = stack.path("children").get(0);
        assertThat(track.path("OTIO_SCHEMA").textValue()).isEqualTo("Track.1");
        assertThat(track.path("kind").textValue()).isEqualTo("Video");
        assertThat(track.path("children")).hasSize(3);
        double rate = 24000 / 1001.0;
        for (int i = 0; i < 3; i++) {
            FilmBeat beat = film.beats().get(i);
            JsonNode clip = track.path("children").get(i);
            assertThat(clip.path("OTIO_SCHEMA").textValue()).isEqualTo("Clip.2");
            assertThat(clip.path("name").textValue()).isEqualTo(beat.prompt());
            assertThat(clip.path("enabled").booleanValue()).isTrue();
            JsonNode told = clip.path("metadata").path("sana_video");
            assertThat(told.path("beat").intValue()).isEqualTo(i + 1);
            assertThat(told.path("prompt").textValue()).isEqualTo(beat.prompt());
            assertThat(told.path("seed").longValue()).isEqualTo(beat.seed());
            assertRange(clip.path("source_range"), beat.firstFrame(), beat.frames(), rate);
            String key = clip.path("active_media_reference_key").textValue();
            JsonNode media = clip.path("media_references").path(key);
            assertThat(media.path("OTIO_SCHEMA").textValue()).isEqualTo("ExternalReference.1");
            assertThat(media.path("target_url").textValue()).isEqualTo("film.mp4");
            assertRange(media.path("available_range"), 0, 45, rate);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "film.mp4, cut/film.otio, ../film.mp4",
        "cut/film.mp4, film.otio, cut/film.mp4",
        "Käfer läuft.mp4, film.otio, K%C3%A4fer%20l%C3%A4uft.mp4",
        "100%#1?.mp4, film.otio, 100%25%231%3F.mp4",
        "a:b.mp4, film.otio, ./a:b.mp4",
        "film.mp4, ./cut/../film.OTIO, film.mp4"
    })
    void theFilmIsNamedFromTheTimelinesFolder(String film, String target, String url)
            throws IOException {
        Files.createDirectory(folder.resolve("cut"));
        Path path = StoryFilm.of(64, 64, 8).write(folder.resolve(film));
        JsonNode timeline = timeline(path, folder.resolve(target));
        assertThat(timeline.findValuesAsText("target_url")).hasSize(3).containsOnly(url);
    }

    @Test
    void wrongNamesAndFilmsAreRefused() throws IOException {
        assertThatThrownBy(() -> Timeline.requirePossible(folder.resolve("film.xml")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("film.xml", ".otio");
        assertThatThrownBy(() -> Timeline.requirePossible(folder.resolve("no/film.otio")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not a folder");
        Path notAFilm = Files.writeString(folder.resolve("film.mp4"), "no film");
        Path target = Files.writeString(folder.resolve("film.otio"), "what was there");
        assertThatThrownBy(() -> Timeline.write(notAFilm, target))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(notAFilm.toString());
        assertThat(target).hasContent("what was there");
        Timeline.requirePossible(target);
        assertThat(target).hasContent("what was there");
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("film.mp4", "film.otio");
    }
}
