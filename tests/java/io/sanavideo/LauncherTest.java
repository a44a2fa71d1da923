package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code ./sana-video} on machines that lack something: a fresh copy of it, with tools made up. */
class LauncherTest {
    private static final Path LAUNCHER = Path.of("sana-video");
    private static final List<String> SHELL =
            List.of(
                    "bash",
                    "dirname",
                    "readlink",
                    "sed",
                    "head",
                    "tail",
                    "mkdir",
                    "find",
                    "rm",
                    "touch");
    private static final Map<String, String> TOOLS =
            Map.of(
                    "java", java("17.0.15"),
                    "javac", "exit 0",
                    "mvn", "echo no such plugin; exit 1",
                    "cmake", "exit 0",
                    "g++", "exit 0");

    @TempDir private Path folder;
    private Path bin;

    private record Outcome(int code, String out, String err) {}

    @BeforeEach
    void installEverything() throws IOException {
        Files.copy(LAUNCHER, folder.resolve(LAUNCHER));
        bin = Files.createDirectory(folder.resolve("bin"));
        for (String name : SHELL) {
            install(name, "exec %s \"$@\"".formatted(onPath(name)));
        }
        for (Map.Entry<String, String> tool : TOOLS.entrySet()) {
            install(tool.getKey(), tool.getValue());
        }
    }

    private static Path onPath(String name) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .map(place -> Path.of(place, name))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow();
    }

    private void install(String tool, String script) throws IOException {
        Path file = Files.writeString(bin.resolve(tool), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** A Java that says its version as the real one does, and does nothing else. */
    private static String java(String version) {
        return "echo 'openjdk version \"%s\" 2025-04-15' >&2".formatted(version);
    }

    private Outcome launch() throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder launcher =
                new ProcessBuilder(folder.resolve(LAUNCHER).toString(), "--version")
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        launcher.environment().clear();
        launcher.environment().put("PATH", bin.toString());
        int code = launcher.start().waitFor();
        return new Outcome(code, Files.readString(out), Files.readString(err));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "g++   | a C++17 compiler | g++   | gcc-c++",
                "cmake | CMake            | cmake | cmake",
                "mvn   | Maven            | maven | maven",
                "java  | a JDK of version 17 or newer | default-jdk-headless | java-latest-openjdk-devel",
                "javac | a JDK of version 17 or newer (found 17 without javac) | default-jdk-headless"
                        + " | java-latest-openjdk-devel",
                "java javac mvn cmake g++ | a JDK of version 17 or newer, Maven, CMake, a C++17 compiler"
                        + " | default-jdk-headless maven cmake g++"
                        + " | java-latest-openjdk-devel maven cmake gcc-c++"
            })
    void missingToolsAreNamedWithWhatInstallsThem(
            String tools, String names, String debian, String fedora) throws Exception {
        for (String tool : tools.split(" ")) {
            Files.delete(bin.resolve(tool));
        }

        assertRefused(names, debian, fedora);
    }

    @ParameterizedTest
    @CsvSource({"16.0.2, 16", "11.0.2, 11", "1.8.0_452, 8"})
    void javaThatIsTooOldIsNamed(String version, String shown) throws Exception {
        install("java", java(version));

        assertRefused(
                "a JDK of version 17 or newer (found " + shown + ")",
                "default-jdk-headless",
                "java-latest-openjdk-devel");
    }

    private void assertRefused(String names, String debian, String fedora) throws Exception {
        String sentence =
                "sana-video: needs %s to build itself; install with 'sudo apt install %s' (Debian, Ubuntu) or 'sudo dnf install %s' (Fedora)\n";
        assertThat(launch())
                .isEqualTo(new Outcome(2, "", sentence.formatted(names, debian, fedora)));
        assertThat(folder.resolve("target")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"17", "17.0.15", "25", "26-ea"})
    void failedBuildShowsItsEndAndWhereTheRestIs(String version) throws Exception {
        install("java", java(version));

        Outcome outcome = launch();

        assertThat(outcome.code()).isEqualTo(1);
        assertThat(outcome.err())
                .contains("no such plugin", "the build failed")
                .contains(folder.resolve("target/build.log").toString());
    }

    /** Java and Maven that do what they are asked for, and say so in a file. */
    private void installWorkingTools() throws IOException {
        for (String source : List.of("pom.xml", "src", "include", "native", "cmake")) {
            Files.createDirectory(folder.resolve(source));
        }
        String said = "echo %s >>" + folder.resolve("said");
        install("mvn", "touch target/sana-video.jar; " + said.formatted("build"));
        install(
                "java",
                """
                case "$*" in
                -version) %s ;;
                *ArchiveClassesAtExit=*) touch %s; %s ;;
                *) %s ;;
                esac\
                """
                        .formatted(
                                java("17"),
                                folder.resolve("target/sana-video.jsa"),
                                said.formatted("keep"),
                                said.formatted("run")));
    }

    private String said() throws Exception {
        assertThat(launch().code()).isZero();
        Path said = folder.resolve("said");
        String words = String.join(" ", Files.readAllLines(said));
        Files.delete(said);
        return words;
    }

    @Test
    void buildsOnceAndKeepsClassesForEachJar() throws Exception {
        installWorkingTools();

        assertThat(said()).isEqualTo("build keep run");
        assertThat(said()).isEqualTo("run");
        touch("target/sana-video.jar");
        assertThat(said()).as("packaged by Maven").isEqualTo("keep run");
        assertThat(said()).isEqualTo("run");
        touch("src");
        assertThat(said()).as("a newer source").isEqualTo("build keep run");
        assertThat(said()).isEqualTo("run");
    }

    @Test
    void classesThatCannotBeKeptAreNotTriedAgain() throws Exception {
        installWorkingTools();
        Path java = bin.resolve("java");
        Files.writeString(java, Files.readString(java).replaceFirst("touch [^;]*;", ""));

        assertThat(said()).isEqualTo("build keep run");
        assertThat(said()).isEqualTo("run");
    }

    private void touch(String file) throws IOException {
        Files.setLastModifiedTime(folder.resolve(file), FileTime.from(Instant.now()));
    }
}
