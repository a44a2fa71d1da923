package io.sanavideo.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.RelativeError;
import io.sanavideo.Sampler;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.Json;
import io.sanavideo.weights.SafetensorsFile;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlowSamplerTest {
    private static final Path GOLDEN = Path.of("tests/golden/schedulers");

    @ParameterizedTest
    @ValueSource(strings = {"dpmpp", "unipc", "euler"})
    void equalsDiffusersAfterEveryStep(String name) {
        SchedulerConfig config =
                SchedulerConfig.of(
                        Json.read(GOLDEN.resolve(name).resolve("scheduler_config.json")));
        try (SafetensorsFile golden = SafetensorsFile.open(GOLDEN.resolve("golden.safetensors"));
                Context context = Context.cpu(1);
                FlowSampler sampler = config.sampler(12)) {
            assertThat(narrow(sampler.timesteps()))
                    .containsExactly(golden.tensor(name + ".timesteps").toFloats());
            assertThat(narrow(sampler.sigmas()))
                    .containsExactly(golden.tensor(name + ".sigmas").toFloats());
            float[] start = golden.tensor("x0").toFloats();
            float[] expected = golden.tensor(name + ".x").toFloats();
            try (Tensor latents = context.tensor(DType.F32, start.length);
                    Tensor velocity = context.tensor(DType.F32, start.length)) {
                latents.upload(start);
                for (int i = 0; i < sampler.steps(); i++) {
                    velocity.upload(madeUpVelocity(latents.toFloats(), sampler.timesteps()[i]));
                    sampler.step(i, velocity, latents);
                    float[] after =
                            Arrays.copyOfRange(expected, i * start.length, (i + 1) * start.length);
                    assertThat(RelativeError.of(latents.toFloats(), after))
                            .as("step %d", i)
                            .isLessThan(1e-6);
                }
            }
        }
    }

    /** sin(3x) + t/1000, of which the golden file was made. */
    private static float[] madeUpVelocity(float[] x, double timestep) {
        float[] velocity = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            velocity[i] = (float) Math.sin(3f * x[i]) + (float) timestep / 1000;
        }
        return velocity;
    }

    private static float[] narrow(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }

    /** With the velocity of a straight flow, every sampler ends at its clean sample. */
    @ParameterizedTest
    @CsvSource({
        "DPM, 1, 2",
        "DPM, 2, 2",
        "DPM, 50, 2",
        "DPM, 7, 1",
        "UNIPC, 1, 2",
        "UNIPC, 2, 2",
        "UNIPC, 3, 2",
        "UNIPC, 50, 2",
        "UNIPC, 7, 1",
        "EULER, 1, 2",
        "EULER, 2, 2",
        "EULER, 50, 2"
    })
    void aStraightFlowEndsAtItsSample(Sampler kind, int steps, int order) {
        float[] clean = {1, -2, 0.5f};
        float[] noise = {-0.3f, 0.7f, 2};
        SchedulerConfig config = new SchedulerConfig(kind, 8, 1000, order);
        try (Context context = Context.cpu(1);
                FlowSampler sampler = config.sampler(steps);
                Tensor latents = context.tensor(DType.F32, 3);
                Tensor velocity = context.tensor(DType.F32, 3)) {
            float level = (float) sampler.sigmas()[0];
            float[] start = new float[3];
            float[] straight = new float[3];
            for (int i = 0; i < 3; i++) {
                start[i] = (1 - level) * clean[i] + level * noise[i];
                straight[i] = noise[i] - clean[i];
            }
            latents.upload(start);
            velocity.upload(straight);
            for (int i = 0; i < steps; i++) {
                sampler.step(i, velocity, latents);
            }
            assertThat(RelativeError.of(latents.toFloats(), clean)).isLessThan(1e-5);
        }
    }

    /** First and last whole timesteps of 50 steps at shift 8, as diffusers computes them. */
    @Test
    void fiftyStepsOfTheReleasedModel() {
        SchedulerConfig config = new SchedulerConfig(Sampler.DPM, 8, 1000, 2);
        try (FlowSampler sampler = config.sampler(50)) {
            double[] timesteps = sampler.timesteps();
            assertThat(Arrays.copyOf(timesteps, 11))
                    .containsExactly(999, 997, 994, 991, 989, 986, 983, 979, 976, 973, 969);
            assertThat(Arrays.copyOfRange(timesteps, 45, 50))
                    .containsExactly(470, 409, 337, 249, 140);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FEW_STEP")
    void stepsAreTakenOnceAndInOrder(Sampler kind) {
        SchedulerConfig config = new SchedulerConfig(kind, 3, 1000, 2);
        try (Context context = Context.cpu(1);
                Tensor latents = context.tensor(DType.F32, 2);
                Tensor velocity = context.tensor(DType.F32, 2)) {
            latents.upload(1, 2);
            velocity.upload(3, 4);
            FlowSampler sampler = config.sampler(2);
            assertThatThrownBy(() -> sampler.step(1, velocity, latents))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("step 1 was asked for")
                    .hasMessageContaining("next is step 0");
            sampler.step(0, velocity, latents);
            sampler.step(1, velocity, latents);
            assertThatThrownBy(() -> sampler.step(2, velocity, latents))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("all 2 steps are taken");
            sampler.close();
            sampler.close();
            assertThatThrownBy(() -> sampler.step(0, velocity, latents))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FEW_STEP")
    void closingFreesTheHistory(Sampler kind) {
        SchedulerConfig config = new SchedulerConfig(kind, 3, 1000, 2);
        try (Context context = Context.cpu(1);
                Tensor latents = context.tensor(DType.F32, 100);
                Tensor velocity = context.tensor(DType.F32, 100)) {
            latents.upload(new float[100]);
            velocity.upload(new float[100]);
            long before = context.memoryInUse();
            try (FlowSampler sampler = config.sampler(4)) {
                sampler.step(0, velocity, latents);
                long during = context.memoryInUse();
                sampler.step(1, velocity, latents);
                sampler.step(2, velocity, latents);
                assertThat(context.memoryInUse()).isEqualTo(during);
            }
            assertThat(context.memoryInUse()).isEqualTo(before);
        }
    }
}
