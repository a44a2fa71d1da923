package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate --project}, {@code resume} and {@code reroll}. */
class ProjectCommandTest {
    /** How often a program is killed; more with -Dsana.kills. */
    private static final int KILLS = Integer.getInteger("sana.kills", 3);

    private static final String STORY =
            """
            seed: 1
            chunk: 2
            beats:
              - {seconds: 2.5, prompt: a red circle moving right on a black background}
              - {seconds: 2, prompt: a blue circle moving left on a black background}
              - {seconds: 2, prompt: a green square growing, transition: dissolve, dissolve: 1.25}
            """;

    @TempDir private Path folder;

    private String story;
    private String project;
    private String film;

    @BeforeEach
    void writeStory() throws IOException {
        story = Files.writeString(folder.resolve("story.yaml"), STORY).toString();
        project = folder.resolve("project").toString();
        film = folder.resolve("film.mp4").toString();
    }

    private static void assertDone(CommandRun run) {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
    }

    /**
     * Killed at random moments, and each time gone on with: the film's file is that of a run that
     * was left alone.
     */
    @Test
    void surviveKills() throws IOException, InterruptedException {
        String whole = folder.resolve("whole.mp4").toString();
        String other = folder.resolve("other").toString();
        long start = System.nanoTime();
        Process left = ChildProcess.start(generate(other, whole));
        assertThat(left.waitFor()).isZero();
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);

        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Process process = ChildProcess.start(generate(project, film));
        while (process.isAlive() && !Files.exists(Path.of(project, "project.json"))) {
            Thread.sleep(1);
        }
        for (int i = 0; i < KILLS; i++) {
            process.waitFor(random.nextLong(millis), TimeUnit.MILLISECONDS);
            process.destroyForcibly().waitFor();
            process = ChildProcess.start("resume", project);
        }
        assertThat(process.waitFor()).as("random seed %d", seed).isZero();
        assertThat(Path.of(film)).as("random seed %d", seed).hasSameBinaryContentAs(Path.of(whole));
    }

    private String[] generate(String into, String output) {
        return new String[] {
            "generate", "--story", story, "--project", into, "-o", output, "--device", "cpu"
        };
    }

    @Test
    void makeABeatAgainAndSayWhatIsWrong() throws IOException {
        assertDone(CommandRun.of(generate(project, film)));
        byte[] first = Files.readAllBytes(Path.of(film));
        assertDone(CommandRun.of("reroll", project, "--beat", "3", "--seed", "9", "--quiet"));
        byte[] second = Files.readAllBytes(Path.of(film));
        assertThat(second).isNotEqualTo(first);
        assertThat(Path.of(project, "story.yaml")).content().contains("seed: 9");

        Files.delete(Path.of(film));
        assertDone(CommandRun.of("resume", project, "--json"));
        assertThat(Path.of(film)).hasBinaryContent(second);
        assertDone(CommandRun.of("reproduce", film, "--quiet"));

        CommandRun noBeat = CommandRun.of("reroll", project, "--beat", "4");
        assertThat(noBeat.code()).isEqualTo(ExitCode.USAGE);
        assertThat(noBeat.err()).contains("beat is 4, expected 1 to 3");
        CommandRun none = CommandRun.of("resume", folder.toString());
        assertThat(none.code()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(none.err()).contains("generate --project");
    }

    @Test
    void areForStories() {
        CommandRun clip =
                CommandRun.of("generate", "a red circle", "--project", project, "-o", film);
        assertThat(clip.code()).isEqualTo(ExitCode.USAGE);
        assertThat(clip.err()).contains("--project was given without --story");
        assertThat(Path.of(project)).doesNotExist();
    }

    @Test
    void editedStoriesAreSaidWithLineAndColumn() throws IOException {
        assertDone(CommandRun.of(generate(project, film)));
        Path file = Path.of(project, "story.yaml");
        Files.writeString(file, Files.readString(file).replace("seconds: 2.5", "seconds: long"));
        CommandRun run = CommandRun.of("resume", project);
        assertThat(run.code()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(run.err()).contains("story.yaml:").contains("seconds is 'long'");
    }
}
