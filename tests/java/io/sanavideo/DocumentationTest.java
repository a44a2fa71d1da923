package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.media.ClipInfo;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java code in the documentation compiles and does what it is there for. */
class DocumentationTest {
    private static final Path README = Path.of("README.md");
    private static final Path EXAMPLE = Path.of("docs/example-app/App.java");
    private static final Pattern JAVA_BLOCK =
            Pattern.compile("^```java\\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE);

    @TempDir private Path folder;

    @Test
    void snippetOfTheReadmeMakesAClip() throws Exception {
        Path clip = folder.resolve("clip.mp4");
        String code =
                replaced(
                        replaced(snippet(), "Path.of(\"model\")", "SanaVideo.demoModel()"),
                        "Path.of(\"clip.mp4\")",
                        "Path.of(arguments[0])");
        Path source = folder.resolve("Snippet.java");
        Files.writeString(
                source,
                """
                import io.sanavideo.*;
                import java.nio.file.Path;

                class Snippet {
                    public static void main(String[] arguments) {
                        %s
                    }
                }
                """
                        .formatted(code));

        String output = compileAndRun(source, "Snippet", clip.toString());

        assertThat(output).contains("encode 0/2", "denoise 20/20");
        assertThat(ClipInfo.read(clip).frames()).isEqualTo(17);
    }

    @Test
    void snippetOfTheReproductionSaysIdentical() throws Exception {
        Path clip = folder.resolve("clip.gif");
        try (SanaVideo sana = SanaVideo.open(SanaVideo.demoModel(), Device.cpu())) {
            sana.generateTo(TextToVideo.prompt("a red circle").steps(2).build(), clip);
        }
        Matcher block = JAVA_BLOCK.matcher(Files.readString(Path.of("docs/reproduce.md")));
        assertThat(block.find()).isTrue();
        String code = replaced(block.group(1), "Path.of(\"clip.mp4\")", "Path.of(arguments[0])");
        Path source = folder.resolve("Reproduce.java");
        Files.writeString(
                source,
                """
                import io.sanavideo.*;
                import java.nio.file.Path;

                class Reproduce {
                    public static void main(String[] arguments) {
                        %s
                    }
                }
                """
                        .formatted(code));
        assertThat(compileAndRun(source, "Reproduce", clip.toString())).contains("identical");
    }

    @Test
    void exampleAppDrawsAStripOfFrames() throws Exception {
        Path strip = folder.resolve("strip.png");

        String output = compileAndRun(EXAMPLE, "App", "a blue square", strip.toString());

        assertThat(output).contains("denoise 20/20", "strip.png: seed 7");
        BufferedImage picture = ImageIO.read(strip.toFile());
        assertThat(picture.getWidth()).isEqualTo(5 * 64);
        assertThat(picture.getHeight()).isEqualTo(64);
    }

    /** The one block of Java that opens a model. */
    private static String snippet() throws IOException {
        List<String> blocks =
                JAVA_BLOCK
                        .matcher(Files.readString(README))
                        .results()
                        .map(block -> block.group(1))
                        .filter(block -> block.contains("SanaVideo.open("))
                        .toList();
        assertThat(blocks).hasSize(1);
        return blocks.get(0);
    }

    private static String replaced(String code, String text, String replacement) {
        assertThat(code).contains(text);
        return code.replace(text, replacement);
    }

    /** What the program prints, run on the library in a JVM of its own. */
    private String compileAndRun(Path source, String mainClass, String... arguments)
            throws Exception {
        compile(source);
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                folder + ":" + System.getProperty("java.class.path"),
                                "-Dorg.bytedeco.javacpp.cachedir="
                                        + System.getProperty("org.bytedeco.javacpp.cachedir"),
                                mainClass));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output.txt");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.to(output.toFile()))
                        .start();
        int code = process.waitFor();
        assertThat(code).as(Files.readString(output)).isZero();
        return Files.readString(output);
    }

    private void compile(Path source) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled =
                    compiler.getTask(
                                    messages,
                                    files,
                                    null,
                                    List.of(
                                            "-d",
                                            folder.toString(),
                                            "-proc:none",
                                            "-Werror",
                                            "-cp",
                                            System.getProperty("java.class.path")),
                                    null,
                                    files.getJavaFileObjects(source))
                            .call();
            assertThat(compiled).as(messages.toString()).isTrue();
        }
    }
}
