package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The {@code beats} command and what {@code generate} makes of a story beside its film. */
class BeatsCommandTest {
    private static final String STORY =
            """
            seed: 3
            steps: 1
            beats:
              - seconds: 2
                prompt: a red circle
              - seconds: 2
                prompt: a blue square
                transition: cut
                seed: 9
            """;

    @TempDir private static Path films;

    private static Path story;
    private static Path film;

    @TempDir private Path folder;

    @BeforeAll
    static void make() throws IOException {
        story = Files.writeString(films.resolve("story.yaml"), STORY);
        film = films.resolve("film.mp4");
        CommandRun run =
                CommandRun.of("generate", "--story", story.toString(), "-o", film.toString());
        assertThat(run.code()).as(run.err()).isZero();
    }

    private CommandRun generate(String... more) {
        List<String> arguments = new ArrayList<>(List.of("generate", "--quiet", "--steps", "1"));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    @Test
    void beatsAreListed() throws IOException {
        CommandRun run = CommandRun.of("beats", film.toString());
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out().lines())
                .containsExactly(
                        "beat  from         to           prompt",
                        "   1  00:00:00:00  00:00:02:01  a red circle",
                        "   2  00:00:02:01  00:00:04:02  a blue square");
        CommandRun json = CommandRun.of("beats", film.toString(), "--json");
        JsonNode told = new ObjectMapper().readTree(json.out());
        assertThat(told.path("file").textValue()).isEqualTo(film.toString());
        assertThat(told.path("fps").doubleValue()).isEqualTo(8);
        assertThat(told.path("beats").get(1).toString())
                .isEqualTo(
                        "{\"number\":2,\"prompt\":\"a blue square\",\"seed\":9,\"first_frame\":17,\"end_frame\":34,\"from\":\"00:00:02:01\",\"to\":\"00:00:04:02\"}");
    }

    @Test
    void theSameFilesAreMadeWithTheFilmAndFromIt() throws IOException {
        Path again = folder.resolve("film.mp4");
        String[] with = {folder.resolve("a.png").toString(), folder.resolve("a.otio").toString()};
        CommandRun run =
                CommandRun.of(
                        "generate",
                        "--story",
                        story.toString(),
                        "-o",
                        again.toString(),
                        "--sheet",
                        with[0],
                        "--timeline",
                        with[1]);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).contains("contact sheet: " + with[0], "timeline: " + with[1]);
        String[] from = {folder.resolve("b.png").toString(), folder.resolve("b.otio").toString()};
        CommandRun beats =
                CommandRun.of("beats", again.toString(), "--sheet", from[0], "--timeline", from[1]);
        assertThat(beats.code()).as(beats.err()).isZero();
        for (int i = 0; i < 2; i++) {
            assertThat(Path.of(from[i])).hasSameBinaryContentAs(Path.of(with[i]));
        }
        assertThat(folder.toFile().list()).hasSize(5);
    }

    @Test
    void whatIsNoFilmIsABadFile() {
        Path clip = folder.resolve("clip.mp4");
        assertThat(generate("a red circle", "-o", clip.toString()).code()).isZero();
        assertRefused(CommandRun.of("beats", clip.toString()), ExitCode.BAD_FILE, "0 chapters");
        assertRefused(CommandRun.of("beats", "no.mp4"), ExitCode.BAD_FILE, "no such file");
    }

    @Test
    void wrongPlacesAreRefusedBeforeAnythingIsMade() {
        String out = folder.resolve("film.mp4").toString();
        String sheet = folder.resolve("sheet.png").toString();
        String story = BeatsCommandTest.story.toString();
        assertRefused(
                generate("a red circle", "-o", out, "--sheet", sheet),
                ExitCode.USAGE,
                "they are of a --story");
        assertRefused(
                generate("--story", story, "-o", folder.resolve("f.gif") + "", "--sheet", sheet),
                ExitCode.USAGE,
                "made into a .mp4");
        assertRefused(
                generate("--story", story, "-o", out, "--sheet", folder.resolve("s.jpg") + ""),
                ExitCode.USAGE,
                "must end in .png");
        assertRefused(
                generate("--story", story, "-o", out, "--timeline", folder + "/no/t.otio"),
                ExitCode.USAGE,
                "is not a folder");
        assertRefused(
                CommandRun.of("beats", film.toString(), "--timeline", folder + "/t.txt"),
                ExitCode.USAGE,
                "must end in .otio");
        assertThat(folder).isEmptyDirectory();
    }

    /** Fonts are looked for before the film is made. */
    @Test
    void aJavaWithoutFontsSaysSo() throws IOException, InterruptedException {
        Path none = folder.resolve("fonts.conf");
        Files.writeString(none, "<?xml version=\"1.0\"?><fontconfig></fontconfig>\n");
        Path out = folder.resolve("film.mp4");
        CommandRun run =
                ChildProcess.run(
                        // Java keeps what it knows of fonts in the home folder.
                        Map.of(
                                "FONTCONFIG_FILE",
                                none.toString(),
                                "JAVA_TOOL_OPTIONS",
                                "-Duser.home=" + folder),
                        "generate",
                        "--story",
                        story.toString(),
                        "-o",
                        out.toString(),
                        "--sheet",
                        folder.resolve("sheet.png").toString());
        assertRefused(run, ExitCode.USAGE, "this Java has no fonts");
        assertThat(run.err()).contains("fonts-dejavu-core").doesNotContain("InvocationTarget");
        assertThat(out).doesNotExist();
    }

    /** A display that is named and cannot be reached does no harm. */
    @Test
    void aSheetNeedsNoScreen() throws IOException, InterruptedException {
        Path sheet = folder.resolve("sheet.png");
        CommandRun run =
                ChildProcess.run(
                        Map.of("DISPLAY", "no-such-host:7"),
                        "beats",
                        film.toString(),
                        "--sheet",
                        sheet.toString());
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(sheet).isNotEmptyFile();
    }

    @Test
    void aPlanTakesTheFlags() {
        CommandRun run =
                CommandRun.of(
                        "plan",
                        "--story",
                        story.toString(),
                        "--sheet",
                        "s.png",
                        "--timeline",
                        "t.otio",
                        "--timecode");
        assertThat(run.code()).as(run.err()).isZero();
    }

    /** The same hash with and without; another picture. */
    @Test
    void timeIsWrittenIntoThePictures() {
        List<JsonNode> clips = new ArrayList<>();
        for (String more : new String[] {"--timecode", "--device=cpu"}) {
            Path clip = folder.resolve(more.substring(2, 6) + ".gif");
            CommandRun run = generate("a red circle", "--seed", "1", "-o", clip + "", more);
            assertThat(run.code()).as(run.err()).isZero();
            CommandRun inspected = CommandRun.of("inspect", clip.toString(), "--json");
            clips.add(read(inspected.out()).path("metadata"));
        }
        assertThat(clips.get(0).path("frames_sha256"))
                .isEqualTo(clips.get(1).path("frames_sha256"));
        assertThat(clips.get(0).path("timecode").textValue()).startsWith("burned in");
        assertThat(clips.get(1).has("timecode")).isFalse();
        assertRefused(
                generate("a", "--size", "32x32", "--timecode", "-o", folder + "/small.mp4"),
                ExitCode.USAGE,
                "no room for a time code");
        assertThat(folder.resolve("small.mp4")).doesNotExist();
    }

    private static JsonNode read(String json) {
        try {
            return new ObjectMapper().readTree(json);
        } catch (IOException e) {
            throw new AssertionError(json, e);
        }
    }

    private static void assertRefused(CommandRun run, int code, String words) {
        assertThat(run.err()).contains(words);
        assertThat(run.code()).isEqualTo(code);
    }
}
