package io.sanavideo.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.Device;
import io.sanavideo.doctor.Finding.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DoctorTest {
    private static final Duration BUDGET = Duration.ofSeconds(60);

    /** On a card, or its emulator. */
    @Tag("gpu")
    @Test
    void findsThisMachinesCardSound() {
        List<String> parts = new ArrayList<>();
        try (Doctor doctor = Doctor.of(Device.cuda(0))) {
            Diagnosis diagnosis =
                    doctor.examine(
                            5,
                            (name, number, all) -> {
                                assertThat(number).isEqualTo(parts.size()).isLessThan(all);
                                parts.add(name);
                            });

            assertThat(diagnosis.findings()).hasSizeGreaterThan(90);
            assertThat(diagnosis.findings())
                    .filteredOn(finding -> finding.verdict() != Verdict.PASS)
                    .isEmpty();
            assertThat(diagnosis.measurements())
                    .extracting(Measurement::name)
                    .isEqualTo(Speed.NAMES);
            assertThat(diagnosis.measurements().get(0).value()).isPositive();
            assertThat(diagnosis.measurements().get(1).value()).isPositive();
            assertThat(parts).hasSize(diagnosis.findings().size() + Speed.NAMES.size());
            assertThat(diagnosis.elapsed()).isLessThan(BUDGET);
        }
    }

    @Test
    void measuresTheCpuAlone() {
        try (Doctor doctor = Doctor.of(Device.cpu())) {
            Diagnosis diagnosis = doctor.examine(5, (name, number, all) -> {});

            assertThat(diagnosis.card()).isNull();
            assertThat(diagnosis.findings()).isEmpty();
            assertThat(diagnosis.isSound()).isTrue();
            assertThat(diagnosis.measurements())
                    .hasSameSizeAs(Speed.NAMES)
                    .allMatch(one -> one.isMeasured() && one.value() > 0);
            assertThat(diagnosis.elapsed()).isLessThan(BUDGET);
        }
    }

    @Test
    void canBeCancelled() {
        try (Doctor doctor = Doctor.of(Device.cpu())) {
            doctor.cancel();

            assertThatThrownBy(() -> doctor.examine(5, (name, number, all) -> {}))
                    .isInstanceOf(CancelledException.class);
        }
    }
}
