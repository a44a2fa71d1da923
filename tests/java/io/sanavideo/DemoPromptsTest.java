package io.sanavideo;

import static io.sanavideo.DemoPrompts.count;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.DemoPrompts.Outcome;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The demo model shows what its prompts say: 6 colours, 3 shapes, 6 motions. One less than of the
 * reference is allowed.
 */
class DemoPromptsTest {
    @ParameterizedTest
    @EnumSource(names = {"F32", "AUTO"})
    void clipsShowColourAndMotionOfTheirPrompts(Precision precision) throws IOException {
        List<Outcome> outcomes;
        try (SanaVideo sana =
                SanaVideo.open(
                        SanaVideo.demoModel(), Device.cpu(), precision, ProgressListener.NONE)) {
            outcomes = DemoPrompts.outcomes(sana);
        }

        assertThat(outcomes).hasSize(18);
        assertThat(count(outcomes, Outcome::colourIsRight))
                .as("right colours of %s", outcomes)
                .isGreaterThanOrEqualTo(DemoPrompts.REFERENCE_COLOURS - 1);
        assertThat(count(outcomes, Outcome::motionIsRight))
                .as("right motions of %s", outcomes)
                .isGreaterThanOrEqualTo(DemoPrompts.REFERENCE_MOTIONS - 1);
        assertThat(count(outcomes, Outcome::bothAreRight))
                .as("right in both of %s", outcomes)
                .isGreaterThanOrEqualTo(DemoPrompts.REFERENCE_BOTH - 1);
    }
}
