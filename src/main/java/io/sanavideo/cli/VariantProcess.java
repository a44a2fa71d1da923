package io.sanavideo.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * This command line again, in a process that runs on another variant of the CPU kernels. The native
 * library reads {@code SANA_ISA} once, and a Java process cannot change its own environment.
 */
final class VariantProcess {
    private static final String VARIABLE = "SANA_ISA";

    private VariantProcess() {}

    /** Runs it to its end, with this process's input and output; returns its exit code. */
    static int run(String variant, List<String> arguments) {
        ProcessBuilder builder = new ProcessBuilder(command(arguments)).inheritIO();
        builder.environment().put(VARIABLE, variant);
        try {
            Process process = builder.start();
            try (Interrupt interrupt = Interrupt.calls(process::destroy)) {
                return process.waitFor();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "a process with %s=%s cannot be started".formatted(VARIABLE, variant), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.CANCELLED;
        }
    }

    private static List<String> command(List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // As this one was started, but for debuggers and the like, of which there is one.
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> !option.startsWith("-agent") && !option.startsWith("-javaagent"))
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(arguments);
        return command;
    }
}
