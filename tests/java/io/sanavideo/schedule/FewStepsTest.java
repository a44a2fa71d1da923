package io.sanavideo.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FewStepsTest {
    private static final StepNoise NONE = step -> new float[1];

    private static FewSteps rounded() {
        return new FewSteps(List.of(1000, 960, 889, 727), 7, true);
    }

    /** 960 is nearest to entry 226 of the table: s = 0.774, 7s / (1 + 6s) = 0.959957. */
    @Test
    void levelsAreThoseOfTheNearestEntry() {
        try (FlowSampler sampler = FewSteps.LONG_SANA.sampler(NONE)) {
            assertThat(sampler.timesteps()).containsExactly(1000, 960, 889, 727);
            assertThat(sampler.sigmas())
                    .containsExactly(
                            new double[] {1, 0.959957, 0.889153, 0.727410, 0}, within(5e-7));
        }
        try (FlowSampler sampler = new FewSteps(List.of(960, 727), 3, false).sampler(NONE)) {
            assertThat(sampler.sigmas())
                    .containsExactly(new double[] {0.960043, 0.726804, 0}, within(5e-7));
        }
    }

    /** Above 512 bf16 holds every fourth whole number. */
    @Test
    void theNetworkMayBeFedRoundedTimesteps() {
        try (FlowSampler sampler = rounded().sampler(NONE)) {
            assertThat(sampler.timesteps()).containsExactly(1000, 960, 888, 728);
            assertThat(sampler.sigmas())
                    .containsExactly(
                            new double[] {1, 0.959957, 0.887960, 0.728400, 0}, within(5e-7));
        }
    }

    /**
     * From x = 2 with v = 0.5 and fresh noise -1, 3, 0.25: 1.5 is clean, and 0.0400426 * 1.5 -
     * 0.9599574 = -0.899894; -1.379872 is clean, and 0.1108468 * -1.379872 + 0.8891532 * 3 =
     * 2.514505; and so on. Rounded, 888 and 728 lead to the clean samples, 889 and 727 away.
     */
    @ParameterizedTest
    @CsvSource({
        "false, -0.899894, 2.514505, 0.746095, 0.382390",
        "true, -0.899894, 2.514505, 0.746258, 0.382058"
    })
    void mixesFreshNoiseIntoTheCleanSample(
            boolean roundedTimesteps, double first, double second, double third, double last) {
        float[] fresh = {-1, 3, 0.25f};
        List<Integer> asked = new ArrayList<>();
        StepNoise noise =
                step -> {
                    asked.add(step);
                    return new float[] {fresh[step - 1]};
                };
        FewSteps steps = roundedTimesteps ? rounded() : FewSteps.LONG_SANA;
        try (Context context = Context.cpu(1);
                FlowSampler sampler = steps.sampler(noise);
                Tensor latents = context.tensor(DType.F32, 1);
                Tensor velocity = context.tensor(DType.F32, 1)) {
            latents.upload(2);
            velocity.upload(0.5f);
            double[] expected = {first, second, third, last};
            for (int i = 0; i < sampler.steps(); i++) {
                sampler.step(i, velocity, latents);
                assertThat((double) latents.toFloats()[0])
                        .as("step %d", i)
                        .isCloseTo(expected[i], within(2e-6));
            }
        }
        assertThat(asked).containsExactly(1, 2, 3);
    }

    @Test
    void refusesListsThatAreNone() {
        for (List<Integer> timesteps :
                List.of(List.of(1001), List.of(900, 900), List.of(800, 900), List.of(500, 0))) {
            assertThatThrownBy(() -> new FewSteps(timesteps, 7, false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(timesteps.toString())
                    .hasMessageContaining("falling");
        }
        assertThatThrownBy(() -> new FewSteps(List.of(), 7, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no timesteps");
        assertThatThrownBy(() -> new FewSteps(List.of(1000), 0, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("flow shift is 0");
    }
}
