package io.sanavideo.cli;

import io.sanavideo.Device;
import io.sanavideo.doctor.Diagnosis;
import io.sanavideo.doctor.Doctor;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sana-video doctor}: whether a card computes what the CPU computes, and how fast. */
@Command(
        name = "doctor",
        description = {
            "Runs every kernel on a card beside the CPU, which says what is right, and measures the",
            "card's memory and products. Takes less than a minute."
        },
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Exit code 0: every trial passed, or there is no card to examine; 1: one failed or was",
            "refused; 6: there is no such card, or it stopped."
        })
final class DoctorCommand implements Callable<Integer> {
    private static final int COLUMNS = 78;
    private static final int UPDATE_MILLIS = 100;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of the inputs (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--json", description = "Prints one JSON object on standard output.")
    private boolean json;

    @Mixin private DeviceOptions options;

    @Override
    public Integer call() {
        Device device = options.device();
        Diagnosis diagnosis;
        try (Doctor doctor = Doctor.of(device);
                Interrupt interrupt = Interrupt.calls(doctor::cancel);
                ProgressBar bar = bar()) {
            diagnosis =
                    doctor.examine(
                            seed,
                            (name, number, parts) -> {
                                bar.maxHint(parts);
                                bar.stepTo(number);
                                bar.setExtraMessage(name);
                            });
        }
        DoctorReport report = new DoctorReport(diagnosis, options.whyNotCuda());
        System.out.print(json ? report.json() + System.lineSeparator() : report.text());
        return diagnosis.isSound() ? ExitCode.DONE : ExitCode.FAILED;
    }

    private static ProgressBar bar() {
        return new ProgressBarBuilder()
                .setTaskName("examine ")
                .setInitialMax(1)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(UPDATE_MILLIS)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, COLUMNS))
                .build();
    }
}
