package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The demo model shows what its prompts say: 6 colours, 3 shapes, 6 motions. */
class DemoPromptsTest {
    private static final Path PROMPTS = Path.of("tests/golden/demo/prompts.json");

    /** Of 18, by the demo model's README; one less is allowed. */
    private static final int REFERENCE_COLOURS = 17;

    private static final int REFERENCE_MOTIONS = 18;
    private static final int REFERENCE_BOTH = 17;

    /** A prompt, and what its clip shows. */
    private record Outcome(JsonNode prompt, MovingShape shown) {
        boolean colourIsRight() {
            return shown.colour().equals(prompt.get("colour").textValue());
        }

        boolean motionIsRight() {
            return shown.motion().equals(prompt.get("motion").textValue());
        }

        boolean bothAreRight() {
            return colourIsRight() && motionIsRight();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "AUTO"})
    void clipsShowColourAndMotionOfTheirPrompts(Precision precision) throws IOException {
        List<Outcome> outcomes = new ArrayList<>();
        try (SanaVideo sana =
                SanaVideo.open(
                        SanaVideo.demoModel(), Device.cpu(), precision, ProgressListener.NONE)) {
            for (JsonNode prompt : new ObjectMapper().readTree(PROMPTS.toFile())) {
                outcomes.add(new Outcome(prompt, shown(sana, prompt)));
            }
        }

        assertThat(outcomes).hasSize(18);
        assertThat(count(outcomes, Outcome::colourIsRight))
                .as("right colours of %s", outcomes)
                .isGreaterThanOrEqualTo(REFERENCE_COLOURS - 1);
        assertThat(count(outcomes, Outcome::motionIsRight))
                .as("right motions of %s", outcomes)
                .isGreaterThanOrEqualTo(REFERENCE_MOTIONS - 1);
        assertThat(count(outcomes, Outcome::bothAreRight))
                .as("right in both of %s", outcomes)
                .isGreaterThanOrEqualTo(REFERENCE_BOTH - 1);
    }

    private static MovingShape shown(SanaVideo sana, JsonNode prompt) {
        CollectedFrames frames = new CollectedFrames();
        sana.generate(
                TextToVideo.prompt(prompt.get("prompt").textValue())
                        .seed(prompt.get("seed").longValue())
                        .build(),
                frames);
        return MovingShape.in(frames.frames(), frames.format());
    }

    private static long count(List<Outcome> outcomes, Predicate<Outcome> isRight) {
        return outcomes.stream().filter(isRight).count();
    }
}
