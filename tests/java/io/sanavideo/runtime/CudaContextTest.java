package io.sanavideo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.DeviceException;
import io.sanavideo.binding.SanaVideoAbi;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A context on a card, or the sentence that says what is missing for one. */
class CudaContextTest {
    private static final String KERNELS = "libsanavideo_cuda.so";

    /** Makes a context on the device that it is given, cpu or cuda, and prints what came of it. */
    static final class Probe {
        public static void main(String[] arguments) {
            System.out.println(attempt(arguments[0].equals("cuda")));
        }

        static String attempt(boolean cuda) {
            try (Context context = cuda ? Context.cuda(0) : Context.cpu(1)) {
                return "a context of %d threads".formatted(context.threads());
            } catch (DeviceException e) {
                return e.getMessage();
            }
        }
    }

    @Test
    void saysWhatIsMissing() {
        requireAnswer(Probe.attempt(true));
    }

    @Test
    void unpacksTheKernelsOnlyWhenACardIsAskedFor(@TempDir Path folder) throws Exception {
        Path jar = jar(folder.resolve("library.jar"));
        Path cache = folder.resolve("cache");

        assertThat(probe(jar, cache, "cpu")).isEqualTo("a context of 1 threads");
        assertThat(unpacked(cache)).contains("libsanavideo.so").doesNotContain(KERNELS);

        requireAnswer(probe(jar, cache, "cuda"));
        assertThat(unpacked(cache).contains(KERNELS)).isEqualTo(isBuilt());
    }

    private static void requireAnswer(String answer) {
        if (!isBuilt()) {
            assertThat(answer).startsWith("this build has no CUDA kernels");
        } else if (!Files.exists(Path.of("/proc/driver/nvidia/version"))) {
            assertThat(answer)
                    .isEqualTo("no CUDA device can be used: no NVIDIA driver is installed");
        } else if (!answer.startsWith("no CUDA device can be used: the NVIDIA driver")) {
            assertThat(answer).isEqualTo("a context of 0 threads");
        }
    }

    /** Whether this build has CUDA kernels, which must be so where it was asked for. */
    private static boolean isBuilt() {
        boolean built = SanaVideoAbi.class.getResource("linux-x86_64/" + KERNELS) != null;
        String asked = System.getProperty("sanavideo.cuda", "AUTO");
        if (!asked.equals("AUTO")) {
            assertThat(built).as("native.cuda is %s", asked).isEqualTo(asked.equals("ON"));
        }
        return built;
    }

    /** The library's classes and natives as a jar. */
    private static Path jar(Path jar) throws IOException {
        Path classes = classes();
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file);
                Stream<Path> all = Files.walk(classes.resolve("io/sanavideo"))) {
            out.setLevel(1);
            for (Path one : all.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new JarEntry(classes.relativize(one).toString()));
                Files.copy(one, out);
            }
        }
        return jar;
    }

    private static Path classes() {
        return Path.of(
                SanaVideoAbi.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    }

    /** What a fresh process prints whose library comes from the jar. */
    private static String probe(Path jar, Path cache, String device) throws Exception {
        String path =
                System.getProperty("java.class.path")
                        .replace(classes().toString() + File.pathSeparator, "");
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Dorg.bytedeco.javacpp.cachedir=" + cache,
                                "-cp",
                                jar + File.pathSeparator + path,
                                Probe.class.getName(),
                                device)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return output.strip();
    }

    /** Names of the files beside the native library that was unpacked. */
    private static List<String> unpacked(Path cache) throws IOException {
        try (Stream<Path> files =
                Files.list(cache.resolve("library.jar/io/sanavideo/binding/linux-x86_64"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
