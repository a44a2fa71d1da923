package io.sanavideo.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.ModelFormatException;
import io.sanavideo.Sampler;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulerConfigTest {
    private static final String DPM =
            "'_class_name':'DPMSolverMultistepScheduler','use_flow_sigmas':true,"
                    + "'prediction_type':'flow_prediction'";
    private static final String UNIPC = DPM.replace("DPMSolver", "UniPC");
    private static final String EULER = "'_class_name':'FlowMatchEulerDiscreteScheduler'";

    private static SchedulerConfig read(String keys) {
        return SchedulerConfig.of(
                Json.parse("scheduler_config.json", ("{" + keys + "}").replace('\'', '"')));
    }

    @Test
    void readsTheGoldenFiles() {
        Path golden = Path.of("tests/golden/schedulers");
        assertThat(SchedulerConfig.of(Json.read(golden.resolve("dpmpp/scheduler_config.json"))))
                .isEqualTo(new SchedulerConfig(Sampler.DPM, 8, 1000, 2));
        assertThat(SchedulerConfig.of(Json.read(golden.resolve("unipc/scheduler_config.json"))))
                .isEqualTo(new SchedulerConfig(Sampler.UNIPC, 8, 1000, 2));
        assertThat(SchedulerConfig.of(Json.read(golden.resolve("euler/scheduler_config.json"))))
                .isEqualTo(new SchedulerConfig(Sampler.EULER, 8, 1000, 2));
    }

    @Test
    void absentKeysHaveTheDefaultsOfTheirClass() {
        assertThat(read(DPM)).isEqualTo(new SchedulerConfig(Sampler.DPM, 1, 1000, 2));
        assertThat(read(UNIPC)).isEqualTo(new SchedulerConfig(Sampler.UNIPC, 1, 1000, 2));
        assertThat(read(EULER)).isEqualTo(new SchedulerConfig(Sampler.EULER, 1, 1000, 2));
        assertThat(read(DPM + ",'flow_shift':5,'num_train_timesteps':500,'solver_order':1"))
                .isEqualTo(new SchedulerConfig(Sampler.DPM, 5, 500, 1));
    }

    @Test
    void eachClassReadsItsOwnNameOfTheShift() {
        assertThat(read(EULER + ",'shift':3,'flow_shift':8").flowShift()).isEqualTo(3);
        assertThat(read(DPM + ",'shift':3,'flow_shift':8").flowShift()).isEqualTo(8);
    }

    @Test
    void aShiftSurvivesTheChangeOfSampler() {
        SchedulerConfig euler = read(DPM + ",'flow_shift':8").withSampler(Sampler.EULER);
        try (FlowSampler carried = euler.sampler(50);
                FlowSampler other = euler.withFlowShift(1).sampler(50)) {
            assertThat(carried.sigmas()[1]).isEqualTo(0.997424, within(1e-6));
            assertThat(other.sigmas()[1]).isLessThan(0.99);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "DPM | 'algorithm_type':'sde-dpmsolver++' | algorithm_type | dpmsolver++",
                "DPM | 'solver_type':'heun' | solver_type | midpoint",
                "DPM | 'solver_order':3 | solver_order | 1 or 2",
                "DPM | 'solver_order':0 | solver_order | from 1",
                "DPM | 'thresholding':true | thresholding | false",
                "DPM | 'use_lu_lambdas':true | use_lu_lambdas | false",
                "DPM | 'use_karras_sigmas':true | use_karras_sigmas | false",
                "DPM | 'use_exponential_sigmas':true | use_exponential_sigmas | false",
                "DPM | 'use_beta_sigmas':true | use_beta_sigmas | false",
                "DPM | 'use_dynamic_shifting':true | use_dynamic_shifting | false",
                "DPM | 'final_sigmas_type':'sigma_min' | final_sigmas_type | zero",
                "DPM | 'flow_shift':0 | flow_shift | above 0",
                "DPM | 'flow_shift':-Infinity | flow_shift | finite number",
                "DPM | 'flow_shift':'8' | flow_shift | finite number",
                "DPM | 'num_train_timesteps':0 | num_train_timesteps | from 1",
                "UNIPC | 'predict_x0':false | predict_x0 | true",
                "UNIPC | 'solver_type':'bh1' | solver_type | bh2",
                "UNIPC | 'lower_order_final':false | lower_order_final | true",
                "UNIPC | 'disable_corrector':[0] | disable_corrector | []",
                "UNIPC | 'shift_terminal':0.1 | shift_terminal | null",
                "UNIPC | 'solver_p':{} | solver_p | null",
                "EULER | 'invert_sigmas':true | invert_sigmas | false",
                "EULER | 'stochastic_sampling':true | stochastic_sampling | false",
                "EULER | 'shift_terminal':0.1 | shift_terminal | null",
                "EULER | 'use_dynamic_shifting':true | use_dynamic_shifting | false",
                "EULER | 'shift':-1 | shift | above 0",
            })
    void refusesWhatItCannotDo(String base, String keys, String key, String supported) {
        String config =
                switch (base) {
                    case "DPM" -> DPM;
                    case "UNIPC" -> UNIPC;
                    default -> EULER;
                };
        assertThatThrownBy(() -> read(config + "," + keys))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("scheduler_config.json")
                .hasMessageContaining("'" + key + "'")
                .hasMessageContaining(supported);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'_class_name':'DDIMScheduler'",
                "'use_flow_sigmas':true",
                "'_class_name':'DPMSolverMultistepScheduler'",
                "'_class_name':'DPMSolverMultistepScheduler','use_flow_sigmas':true",
                "'_class_name':'UniPCMultistepScheduler','prediction_type':'flow_prediction'"
            })
    void refusesWhatIsNotAFlowScheduler(String keys) {
        assertThatThrownBy(() -> read(keys))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("expected");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1001})
    void refusesStepsOutOfRange(int steps) {
        assertThatThrownBy(() -> read(DPM).sampler(steps))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(steps + " steps were asked for, expected 1 to 1000");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -3, Double.NaN, Double.POSITIVE_INFINITY})
    void refusesShiftsThatAreNone(double shift) {
        assertThatThrownBy(() -> read(DPM).withFlowShift(shift))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("flow shift is " + shift);
    }

    @Test
    void samplersHaveNames() {
        for (Sampler kind : Sampler.values()) {
            assertThat(Sampler.parse(kind.label())).isEqualTo(kind);
        }
        assertThatThrownBy(() -> Sampler.parse("ddim"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("sampler is 'ddim', expected dpm++, unipc, euler or few-step");
    }
}
