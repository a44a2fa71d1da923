package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.DoesNotFitException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What all forms share: refusals before the first frame, and output that is whole or not there. */
class ClipWriterTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "clip.mp4|65|64|16|both sides must be even; the nearest size is 64x64",
                "clip.mp4|64|63|16|both sides must be even; the nearest size is 64x62",
                "clip.mp4|1|1|16|the nearest size is 2x2",
                "clip.mp4|0|64|16|each side must be 1 to 16384",
                "clip.gif|64|16385|16|each side must be 1 to 16384",
                "frames|-1|64|16|each side must be 1 to 16384",
                "clip.mp4|64|64|0|must be above 0 and at most 240",
                "clip.mp4|64|64|-8|must be above 0 and at most 240",
                "clip.mp4|64|64|NaN|must be above 0 and at most 240",
                "clip.mp4|64|64|1000|must be above 0 and at most 240",
                "clip.mp4|64|64|0.0001|the slowest rate is 0.001",
                "clip.webm|64|64|16|.webm is not a known form; end the name in .mp4 or .gif",
                "frame.png|64|64|16|.png is not a known form",
                "missing/clip.mp4|64|64|16|missing is not a folder; create it first",
                "missing/clip.gif|64|64|16|missing is not a folder; create it first",
                "missing/frames|64|64|16|missing is not a folder; create it first",
                "file/clip.mp4|64|64|16|file is not a folder",
                "file|64|64|16|it is there and is not an empty folder",
                "full.mp4|64|64|16|it is there and is not an empty folder",
                "device.mp4|64|64|16|it is there and is not an ordinary file",
                "/proc/clip.mp4|64|64|16|nothing can be created in the folder /proc",
                "/proc/frames|64|64|16|nothing can be created in the folder /proc",
            })
    void isRefusedBeforeTheFirstFrame(String name, int width, int height, double fps, String words)
            throws IOException {
        Files.writeString(folder.resolve("file"), "ordinary");
        Files.createDirectories(folder.resolve("full.mp4/inside"));
        Files.createSymbolicLink(folder.resolve("device.mp4"), Path.of("/dev/null"));
        assertThatThrownBy(
                        () ->
                                ClipWriter.open(
                                        folder.resolve(name), width, height, fps, Quality.LOW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(words);
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).hasSize(3);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip.mp4", "CLIP.MP4", "clip.gif", "frames"})
    void closeWithoutFinishLeavesNothing(String name) {
        Path target = folder.resolve(name);
        ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW);
        MovingSquare.of(64, 64).writeAll(writer, 5);
        assertThat(target).doesNotExist();
        writer.close();
        assertThat(folder).isEmptyDirectory();
        writer.close();
    }

    /** Characters that mean something to FFmpeg in a URL or in a pattern of names. */
    @ParameterizedTest
    @ValueSource(strings = {"50%03d http: [a]?.mp4", "50%03d http: [a]?.gif", "50%03d http: a"})
    void nameIsTakenAsItIs(String name) {
        Path target = folder.resolve(name);
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 2);
            writer.finish(Map.of());
        }
        assertThat(folder).isDirectoryNotContaining(path -> !path.equals(target));
        assertThat(target).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip.mp4", "clip.gif"})
    void fileOfThatNameIsReplacedByFinishAlone(String name) throws IOException {
        Path target = Files.writeString(folder.resolve(name), "older");
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 2);
        }
        assertThat(target).hasContent("older");
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 2);
            assertThat(target).hasContent("older");
            writer.finish(Map.of());
        }
        assertThat(ClipInfo.read(target).frames()).isEqualTo(2);
        assertThat(folder).isDirectoryNotContaining(path -> !path.equals(target));
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip.mp4", "clip.gif", "frames"})
    void callsOutOfOrderAreRefused(String name) {
        ByteBuffer frame = MovingSquare.of(64, 64).frame(0);
        try (ClipWriter writer = ClipWriter.open(folder.resolve(name), 64, 64, 16, Quality.LOW)) {
            assertThatThrownBy(() -> writer.finish(Map.of()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no frame was written");
            assertThatThrownBy(() -> writer.write(frame.slice(0, 100)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("64x64 pixels has 12288 bytes", "100 were given");
            writer.write(frame);
            assertThatThrownBy(() -> writer.finish(Map.of("", "value")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("a key must not be empty");
            assertThatThrownBy(() -> writer.finish(Map.of("key", "a\0b")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("U+0000");
            writer.finish(Map.of());
            assertThatThrownBy(() -> writer.write(frame))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is finished");
            assertThatThrownBy(() -> writer.finish(Map.of()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is finished");
            writer.close();
            assertThatThrownBy(() -> writer.write(frame))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is closed");
        }
        assertThat(folder.resolve(name)).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip.mp4", "clip.gif", "frames"})
    void finishThatCannotRenameLeavesNothing(String name) throws IOException {
        Path target = folder.resolve(name);
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.LOW)) {
            MovingSquare.of(64, 64).writeAll(writer, 2);
            Files.createDirectories(target.resolve("in the way"));
            assertThatThrownBy(() -> writer.finish(Map.of()))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("cannot write " + target);
        }
        assertThat(folder).isDirectoryNotContaining(path -> !path.equals(target));
    }

    @Test
    void killedProcessLeavesNothingUnderTheAskedName() throws Exception {
        Path target = folder.resolve("clip.mp4");
        Process process = start("unlimited", target);
        try {
            assertThat(process.inputReader().readLine()).isEqualTo("200 frames");
        } finally {
            process.destroyForcibly().waitFor();
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left)
                    .singleElement()
                    .satisfies(
                            path ->
                                    assertThat(path.getFileName().toString())
                                            .startsWith(".clip.mp4.")
                                            .endsWith(".part"));
        }
    }

    /** The system's limit on the size of a file stands in for a disk that fills up half way. */
    @ParameterizedTest
    @ValueSource(strings = {"clip.mp4", "clip.gif"})
    void diskThatFillsUpIsSaidAndLeavesNothing(String name) throws Exception {
        FFmpeg.preload(); // unpacks the libraries, which are larger than the limit
        Path target = folder.resolve(name);
        Process process = start("256", target);
        assertThat(process.inputReader().lines())
                .last()
                .asString()
                .startsWith("DoesNotFitException: cannot write " + target);
        assertThat(process.waitFor()).isZero();
        assertThat(folder).isEmptyDirectory();
    }

    /** Runs {@link Endless} where no file may grow beyond so many KiB. */
    private static Process start(String largestFile, Path target) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "bash",
                                "-c",
                                "ulimit -f " + largestFile + "; exec \"$@\"",
                                "bash",
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:-UsePerfData",
                                "-cp",
                                System.getProperty("java.class.path")));
        String cache = System.getProperty("org.bytedeco.javacpp.cachedir");
        if (cache != null) {
            command.add("-Dorg.bytedeco.javacpp.cachedir=" + cache);
        }
        command.addAll(List.of(Endless.class.getName(), target.toString()));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** Writes noise until it is killed or fails. */
    static final class Endless {
        public static void main(String[] arguments) {
            byte[] rgb = new byte[64 * 64 * 3];
            Random random = new Random(1);
            try (ClipWriter writer =
                    ClipWriter.open(Path.of(arguments[0]), 64, 64, 16, Quality.HIGH)) {
                for (int i = 1; i > 0; i++) {
                    random.nextBytes(rgb);
                    writer.write(ByteBuffer.wrap(rgb));
                    if (i == 200) {
                        System.out.println("200 frames");
                    }
                }
            } catch (DoesNotFitException e) {
                System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "16, 16, 1",
        "23.976, 24000, 1001",
        "29.97, 30000, 1001",
        "59.94, 60000, 1001",
        "12.5, 25, 2",
        "0.5, 1, 2",
        "240, 240, 1"
    })
    void rateIsAnExactFraction(double fps, int numerator, int denominator) {
        assertThat(FrameRate.of(fps)).isEqualTo(new FrameRate(numerator, denominator));
    }

    @Test
    void metadataAsJsonKeepsEveryValue() {
        Map<String, String> metadata = new HashMap<>();
        metadata.put("recipe", "{\"seed\":7,\"list\":[1,2]}");
        metadata.put("text", "{ only looks like JSON");
        metadata.put("number", "12");
        metadata.put("quote", "a \"b\" \\ \n");
        metadata.put("empty", "");
        assertThat(MetadataJson.read(MetadataJson.write(metadata))).isEqualTo(metadata);
        assertThat(MetadataJson.read("just words")).isEqualTo(Map.of("comment", "just words"));
    }
}
