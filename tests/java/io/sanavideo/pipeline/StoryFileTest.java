package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Beat;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Sampler;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Stories as YAML files. */
class StoryFileTest {
    @TempDir private Path folder;

    private Story read(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("story.yaml"), text);
        return StoryFile.read(file, look -> {});
    }

    @Test
    void holdsAllThatAStoryHas() throws IOException {
        Files.copy(
                Path.of("tests/golden/demo/start-images/00.png"),
                folder.resolve("start image.png"));
        Story story =
                read(
                        """
                        look: 35mm film
                        negative: blur
                        motion: 10
                        size: 832x480
                        fps: 16
                        steps: 20
                        guidance: 4.5
                        flow_shift: 7
                        sampler: unipc
                        seed: 9007199254740993
                        instruction: none
                        beats:
                          - {seconds: 4, prompt: a fox}
                          - seconds: 2.5
                            prompt: |
                              the fox
                              stops
                            seed: 3
                          - seconds: 5
                            prompt: an owl
                            transition: dissolve
                            dissolve: 0.75
                            image: start image.png
                          - {seconds: 1, prompt: night, transition: cut}
                        """);
        TextToVideo look = story.look();
        assertThat(look)
                .isEqualTo(
                        TextToVideo.prompt("35mm film")
                                .negativePrompt("blur")
                                .motionScore(10)
                                .size(832, 480)
                                .fps(16)
                                .steps(20)
                                .guidance(4.5)
                                .flowShift(7)
                                .sampler(Sampler.UNIPC)
                                .seed(9007199254740993L)
                                .instruction(TextToVideo.NO_INSTRUCTION)
                                .build());
        List<Beat> beats = story.beats();
        assertThat(beats).hasSize(4);
        assertThat(beats.get(0)).isEqualTo(Beat.of(4, "a fox"));
        assertThat(beats.get(1).seed()).isEqualTo(3);
        assertThat(story.prompt(1)).isEqualTo("the fox\nstops, 35mm film");
        assertThat(beats.get(2).transition()).isEqualTo(Transition.DISSOLVE);
        assertThat(beats.get(2).dissolve()).isEqualTo(0.75);
        assertThat(beats.get(2).image().width()).isEqualTo(64);
        assertThat(beats.get(3)).isEqualTo(Beat.of(1, "night").with(Transition.CUT));
        assertThat(story.seconds()).isEqualTo(12.5);
    }

    @Test
    void whatIsAskedForBesidesTakesItsPlace() throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("story.yaml"),
                        "seed: 1\nsteps: 9\nbeats:\n- {seconds: 1, prompt: a}\n");
        Story story = StoryFile.read(file, look -> look.seed(2));
        assertThat(story.look().seed()).isEqualTo(2);
        assertThat(story.look().steps()).isEqualTo(9);
    }

    static Stream<Arguments> broken() {
        String beat = "beats:\n  - seconds: 1\n    prompt: a\n";
        return Stream.of(
                Arguments.of("", "holds nothing"),
                Arguments.of("- a\n", ":1:1: expected keys with values"),
                Arguments.of("look: [a\nbeats: b", ":2:6: expected ',' or ']'"),
                Arguments.of(
                        "colour: red\n" + beat, ":1:1: 'colour' is not known, expected one of"),
                Arguments.of("seed: 1\nseed: 2\n" + beat, ":2:1: 'seed' is there twice"),
                Arguments.of("seed: 1.5\n" + beat, ":1:7: seed is '1.5', expected a whole number"),
                Arguments.of("fps: fast\n" + beat, ":1:6: fps is 'fast', expected a number"),
                Arguments.of("size: big\n" + beat, ":1:7: size is 'big', expected WIDTHxHEIGHT"),
                Arguments.of("sampler: best\n" + beat, ":1:10: sampler is 'best', expected dpm++"),
                Arguments.of("fps: 0\n" + beat, ":3:3: fps is 0.0, expected above 0"),
                Arguments.of("look: a\n", ":1:1: 'beats' is missing"),
                Arguments.of("beats: []\n", ":1:8: the story has no beats"),
                Arguments.of("beats: a\n", ":1:8: 'beats' is no list"),
                Arguments.of("beats:\n  - seconds: 1\n", ":2:5: 'prompt' is missing"),
                Arguments.of(
                        "beats:\n  - prompt: a\n    seconds: 0\n",
                        ":3:14: seconds is 0.0, expected a number above 0"),
                Arguments.of(
                        beat + "    transition: cut\n",
                        ":4:17: transition is 'cut', expected none: the first beat"),
                Arguments.of(
                        beat + "  - {seconds: 1, prompt: b, transition: fade}\n",
                        ":4:41: transition is 'fade', expected carry, cut, dissolve"),
                Arguments.of(
                        beat + "  - {seconds: 1, prompt: b, dissolve: 1}\n",
                        ":4:39: dissolve is 1.0, expected none: the transition is carry"),
                Arguments.of(
                        beat + "  - {seconds: 1, prompt: b, image: b.png}\n",
                        ":4:36: image is 'b.png', expected none"),
                Arguments.of(beat + "    image: nowhere.png\n", ":4:12: "));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void whatIsWrongIsSaidWithLineAndColumn(String text, String words) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageStartingWith(folder.resolve("story.yaml") + ":")
                .hasMessageContaining(words);
    }
}
