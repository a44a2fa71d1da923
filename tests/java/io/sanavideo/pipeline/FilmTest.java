package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Beat;
import io.sanavideo.Transition;
import io.sanavideo.pipeline.Film.Shot;
import io.sanavideo.pipeline.Film.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How stories and long clips are laid out in time. */
class FilmTest {
    private static final double FPS = 16;
    private static final int FACTOR = 4;
    private static final int CHUNK = 10;

    private static Beat beat(double seconds, Transition transition) {
        return Beat.of(seconds, "a fox").with(transition);
    }

    private static Film film(Beat... beats) {
        return Film.of(List.of(beats), FPS, FACTOR, CHUNK);
    }

    /** As LongSANA lays out its clips: 161, 321 and 961 frames. */
    @ParameterizedTest
    @CsvSource({"41, 11, 4", "81, 11, 8", "241, 11, 24", "10, 10, 1", "7, 7, 1", "19, 19, 1"})
    void theFirstChunkOfAClipTakesWhatIsLeftOver(int latentFrames, int first, int count) {
        Film film = Film.of(latentFrames, FACTOR, CHUNK);
        assertThat(film.shots()).hasSize(1);
        List<Span> chunks = film.shots().get(0).chunks();
        assertThat(chunks).hasSize(count);
        assertThat(chunks.get(0)).isEqualTo(new Span(0, 0, 0, first));
        for (int i = 1; i < count; i++) {
            assertThat(chunks.get(i)).isEqualTo(new Span(0, i, first + (i - 1) * CHUNK, CHUNK));
        }
        assertThat(film.frames()).isEqualTo((latentFrames - 1) * FACTOR + 1);
    }

    @Test
    void carriedBeatsChangeAtTheNearestChunk() {
        // Chunks of 2.5 s: 3 s are nearer to one, 4 s after them nearer to three chunks in all.
        Film film =
                film(
                        beat(3, Transition.CARRY),
                        beat(4, Transition.CARRY),
                        beat(2, Transition.CARRY));
        assertThat(film.shots()).hasSize(1);
        assertThat(film.shots().get(0).chunks())
                .containsExactly(
                        new Span(0, 0, 0, 10),
                        new Span(1, 0, 10, 10),
                        new Span(1, 1, 20, 10),
                        new Span(2, 0, 30, 7));
        assertThat(film.frames()).isEqualTo(145);
    }

    @Test
    void aCutBeginsAShotWhoseLastChunkMayBeShort() {
        Film film = film(beat(1, Transition.CARRY), beat(4, Transition.CUT));
        assertThat(film.shots()).hasSize(2);
        Shot first = film.shots().get(0);
        assertThat(first.frames()).isEqualTo(17);
        assertThat(first.chunks()).containsExactly(new Span(0, 0, 0, 5));
        Shot second = film.shots().get(1);
        assertThat(second.firstFrame()).isEqualTo(17);
        assertThat(second.chunks()).containsExactly(new Span(1, 0, 0, 10), new Span(1, 1, 10, 7));
        assertThat(film.frames()).isEqualTo(second.end());
    }

    @Test
    void aBeatBeginsWithTheFirstPictureThatShowsIt() {
        Film film =
                film(
                        beat(3, Transition.CARRY),
                        beat(4, Transition.CARRY),
                        beat(2, Transition.CUT),
                        beat(3, Transition.DISSOLVE),
                        beat(3, Transition.CARRY));
        Shot cut = film.shots().get(1);
        Shot dissolved = film.shots().get(2);
        // The first picture of a second chunk: one of its shot's first latent frame, 9 times 4.
        int second = 37;
        assertThat(cut.firstFrame()).isEqualTo(113);
        assertThat(dissolved.firstFrame()).isEqualTo(cut.end() - dissolved.dissolve());
        assertThat(film.beginnings())
                .containsExactly(
                        0,
                        second,
                        cut.firstFrame(),
                        dissolved.firstFrame(),
                        dissolved.firstFrame() + second);
        assertThat(Film.of(30, FACTOR, CHUNK).beginnings()).containsExactly(0);
    }

    /** Two shots of many short beats, nearly all of which lie under the dissolve between them. */
    @Test
    void beatsUnderADissolveHaveAPictureEach() {
        List<Beat> beats = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            Beat beat = Beat.of(i < 24 ? 0.015 : 2.85, "a fox");
            beats.add(i == 13 ? beat.dissolvingFor(2.9) : beat);
        }
        Film film = Film.of(beats, FPS, FACTOR, 1);
        List<Integer> beginnings = film.beginnings();
        assertThat(beginnings).hasSize(25).isSorted().doesNotHaveDuplicates();
        assertThat(beginnings.get(0)).isZero();
        assertThat(beginnings.get(24)).isLessThan(film.frames());
    }

    /** The shot before goes on under a dissolve, which so takes no time of the story's. */
    @Test
    void aDissolveDoesNotShortenTheStory() {
        Film cut = film(beat(3, Transition.CARRY), beat(3, Transition.CUT));
        Film dissolved = film(beat(3, Transition.CARRY), beat(3, Transition.CUT).dissolvingFor(1));
        assertThat(Math.abs(dissolved.frames() - cut.frames())).isLessThanOrEqualTo(FACTOR / 2);
        Shot first = dissolved.shots().get(0);
        Shot second = dissolved.shots().get(1);
        assertThat(second.dissolve()).isEqualTo(16);
        assertThat(first.end() - second.firstFrame()).isEqualTo(16);
    }

    /** Whatever the beats, shots begin within half a latent frame of where they were asked for. */
    @Test
    void cutsLandWithinALatentFrame() {
        Random random = new Random(5);
        for (int trial = 0; trial < 200; trial++) {
            List<Beat> beats = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Transition transition = Transition.values()[random.nextInt(3)];
                Beat beat = beat(3 + 3 * random.nextDouble(), transition);
                beats.add(
                        transition == Transition.DISSOLVE
                                ? beat.dissolvingFor(0.1 + random.nextDouble())
                                : beat);
            }
            Film film = Film.of(beats, FPS, FACTOR, CHUNK);
            double asked = 0;
            int shot = 0;
            int next = 0;
            for (int i = 0; i < beats.size(); i++) {
                if (i == 0 || beats.get(i).transition() != Transition.CARRY) {
                    Shot begun = film.shots().get(shot++);
                    assertThat(begun.firstFrame() - asked * FPS).isBetween(-2.0, 2.0);
                    assertThat(begun.chunks().get(0).beat()).isEqualTo(i);
                    next = 0;
                }
                for (Span chunk : film.shots().get(shot - 1).chunks()) {
                    if (chunk.beat() == i) {
                        assertThat(chunk.first()).isEqualTo(next);
                        next += chunk.frames();
                    }
                }
                asked += beats.get(i).seconds();
            }
            assertThat(film.frames() - asked * FPS).isBetween(-2.0, 2.0);
            for (Shot each : film.shots()) {
                int latent = each.chunks().stream().mapToInt(Span::frames).sum();
                assertThat(each.frames()).isEqualTo((latent - 1) * FACTOR + 1);
            }
        }
    }

    @Test
    void aCarriedBeatNeedsAChunk() {
        assertThatThrownBy(() -> film(beat(1, Transition.CARRY), beat(1, Transition.CARRY)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "beats 1 to 2 are 2.0 s together, 1 chunks of 2.5 s, expected a chunk a beat at least: make them longer, or cut");
    }

    @Test
    void aShotMustShowMoreThanItsDissolves() {
        assertThatThrownBy(
                        () ->
                                film(
                                        beat(3, Transition.CARRY),
                                        beat(0.5, Transition.CUT).dissolvingFor(0.75),
                                        beat(3, Transition.CUT).dissolvingFor(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("beat 2 is 0.5 s, expected more: 28 of its 25 frames");
    }
}
