package io.sanavideo.cli;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One command line run in a process of its own, whose environment can differ from this one's. */
final class ChildProcess {
    private ChildProcess() {}

    static CommandRun run(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        Path err = Files.createTempFile("child", ".err");
        Process process = start(environment, err, arguments);
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        String complained = Files.readString(err);
        Files.delete(err);
        return new CommandRun(code, out, complained);
    }

    /** One that runs still; what it complains of goes into a file. */
    static Process start(Map<String, String> environment, Path err, String... arguments)
            throws IOException {
        ProcessBuilder builder = builder(arguments).redirectError(err.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    /** One that runs still, writing nowhere. */
    static Process start(String... arguments) throws IOException {
        return builder(arguments)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static ProcessBuilder builder(String... arguments) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString()));
        // As this process was started: newer Javas would warn on standard error.
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--enable-native-access"))
                .forEach(command::add);
        command.addAll(
                List.of(
                        "-Dorg.bytedeco.javacpp.cachedir="
                                + System.getProperty("org.bytedeco.javacpp.cachedir"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }
}
