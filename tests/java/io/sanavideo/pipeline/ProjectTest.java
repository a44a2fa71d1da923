package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Beat;
import io.sanavideo.CancelledException;
import io.sanavideo.ClipFile;
import io.sanavideo.Device;
import io.sanavideo.Generated;
import io.sanavideo.Kernels;
import io.sanavideo.LayerPolicy;
import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.Project;
import io.sanavideo.Sampler;
import io.sanavideo.SanaVideo;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.text.Instruction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Films that are made in a folder, given up and gone on with. */
class ProjectTest extends ProjectFixture {
    @Test
    void makesTheFilmThatIsMadeWithoutIt() {
        Project project = project(DEMO, story());
        try (SanaVideo sana = open(project)) {
            Generated made = sana.generate(project, ProgressListener.NONE);
            assertThat(made.frameHash()).isEqualTo(hash(sana, story()));
            ClipInfo info = ClipInfo.read(film());
            assertThat(info.frames()).isEqualTo(made.format().frames());
            assertThat(info.metadata())
                    .containsEntry(FileSink.FRAME_HASH, made.frameHash())
                    .containsEntry(FileSink.RECIPE, made.recipe())
                    .containsKey(FileSink.CODEC);
        }
    }

    /** Chapters and time codes are those of a film that is written in one go. */
    @Test
    void showsBeatsAndTimes() {
        ClipFile file = ClipFile.of(film()).withTimecode();
        ClipFile whole = ClipFile.of(folder.resolve("whole.mp4")).withTimecode();
        Project project = Project.create(folder.resolve("project"), DEMO, story(), file);
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            sana.generateTo(story(), whole, ProgressListener.NONE);
        }
        ClipInfo info = ClipInfo.read(film());
        assertThat(info.chapters()).hasSize(5).isEqualTo(ClipInfo.read(whole.path()).chapters());
        assertThat(info.metadata()).containsKey(FileSink.TIMECODE);
        List<byte[]> frames = MovieFrames.of(film());
        List<byte[]> expected = MovieFrames.of(whole.path());
        assertThat(frames).hasSameSizeAs(expected);
        for (int i = 0; i < frames.size(); i++) {
            assertThat(differences(frames.get(i), expected.get(i))).as("frame %d", i).isZero();
        }
    }

    /** Colours that are far from each other where time codes are, which are black and white. */
    private static int differences(byte[] frame, byte[] other) {
        int count = 0;
        for (int y = 50; y < 64; y++) {
            for (int x = 0; x < 64 * 3; x++) {
                int at = y * 64 * 3 + x;
                count += Math.abs((frame[at] & 0xff) - (other[at] & 0xff)) > 100 ? 1 : 0;
            }
        }
        return count;
    }

    /**
     * Cancelled in the middle of each chunk but the first, and gone on with: the film's file is
     * that of a run that was left alone.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesOnAfterAnyChunk(boolean looksAhead) throws IOException {
        Model model = DEMO;
        Story story = story();
        if (looksAhead) {
            model =
                    Model.at(TinyModel.writeWithLtxVae(folder).root(), Device.cpu())
                            .withPrecision(Precision.F32);
            story = storyOfLtxVae();
        }
        Project whole =
                Project.create(
                        folder.resolve("whole"),
                        model,
                        story,
                        ClipFile.of(folder.resolve("whole.mp4")).withTimecode());
        Project project =
                Project.create(
                        folder.resolve("project"),
                        model,
                        story,
                        ClipFile.of(film()).withTimecode());
        try (SanaVideo sana = open(project)) {
            int cancelled = 0;
            while (!Files.exists(film())) {
                try {
                    sana.generate(Project.open(project.folder()), stopAfter(1, sana));
                } catch (CancelledException e) {
                    cancelled++;
                }
            }
            assertThat(cancelled).isGreaterThanOrEqualTo(looksAhead ? 5 : 12);
            sana.generate(whole, ProgressListener.NONE);
        }
        assertThat(film()).hasSameBinaryContentAs(whole.output().path());
    }

    /** A shot that is longer than the decoder looks back: 35 latent frames are done, 30 matter. */
    @Test
    void goesOnInALongShot() {
        Story story =
                Story.of(
                        TextToVideo.prompt("").seed(1).steps(STEPS).chunk(7).build(),
                        Beat.of(20, "a red circle moving right on a black background"));
        Project project = project(DEMO, story);
        try (SanaVideo sana = open(project)) {
            assertThatThrownBy(() -> sana.generate(project, stopAfter(5, sana)))
                    .isInstanceOf(CancelledException.class);
            assertThat(sana.generate(project, ProgressListener.NONE).frameHash())
                    .isEqualTo(hash(sana, story));
        }
    }

    /** The VAE makes 8 frames of a latent frame and hands them on late. */
    private static Story storyOfLtxVae() {
        return Story.of(
                TextToVideo.prompt("")
                        .instruction(TextToVideo.NO_INSTRUCTION)
                        .size(64, 64)
                        .seed(1)
                        .steps(STEPS)
                        .chunk(2)
                        .fps(8)
                        .build(),
                Beat.of(6, "a red circle"),
                Beat.of(4, "a blue circle"),
                Beat.of(4, "a green square").with(Transition.DISSOLVE).dissolvingFor(2.5));
    }

    /** A record says of itself whether it is as it was written. */
    @Test
    void changedRecordsAreNotBelieved() throws IOException {
        Story story =
                Story.of(
                        TextToVideo.prompt("").seed(1).steps(1).chunk(2).build(),
                        Beat.of(2, "a red circle"));
        Project project = project(DEMO, story);
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            byte[] whole = Files.readAllBytes(film());
            Path last = chunks().resolve("00003.json");
            String record = Files.readString(last);
            Files.writeString(last, record.replaceFirst("(\"frames_sha256\" : \")..", "$1ff"));
            assertThat(last).content().isNotEqualTo(record);
            sana.generate(project, ProgressListener.NONE);
            assertThat(film()).hasBinaryContent(whole);
        }
    }

    /** Any file of a chunk that is not as it was written is made again, and not gone on from. */
    @Test
    void makesDamagedChunksAgain() throws IOException {
        Story story =
                Story.of(
                        TextToVideo.prompt("").seed(1).steps(1).chunk(2).build(),
                        Beat.of(2, "a red circle"),
                        Beat.of(2, "a blue circle"));
        Project project = project(DEMO, story).reroll(2, 1);
        try (SanaVideo sana = open(project)) {
            String other = hash(sana, project.reroll(2, 9).story());
            sana.generate(project.reroll(2, 1), ProgressListener.NONE);
            byte[] whole = Files.readAllBytes(film());
            for (String name : written().keySet()) {
                Path file = chunks().resolve(name);
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length / 2] ^= 1;
                Files.write(file, bytes);
                sana.generate(project, ProgressListener.NONE);
                assertThat(film()).as(name).hasBinaryContent(whole);
                Files.write(file, new byte[0]);
                assertThat(sana.generate(project.reroll(2, 9), ProgressListener.NONE).frameHash())
                        .as(name)
                        .isEqualTo(other);
                Files.delete(file);
                sana.generate(project.reroll(2, 1), ProgressListener.NONE);
                assertThat(film()).as(name).hasBinaryContent(whole);
            }
        }
    }

    /** What a chunk leaves behind has one size, however many there were before it. */
    @Test
    void snapshotsDoNotGrow() throws IOException {
        Story story =
                Story.of(
                        TextToVideo.prompt("").seed(1).steps(1).chunk(1).build(),
                        Beat.of(20, "a red circle"));
        Project project = project(DEMO, story);
        List<Long> sizes = new ArrayList<>();
        try (SanaVideo sana = open(project)) {
            sana.generate(
                    project,
                    progress -> {
                        if (progress.phase() == Phase.CHUNKS) {
                            try (Stream<Path> files = Files.list(chunks())) {
                                List<Path> snapshots =
                                        files.filter(file -> file.toString().contains("snapshot"))
                                                .toList();
                                assertThat(snapshots).hasSizeLessThanOrEqualTo(1);
                                snapshots.forEach(file -> sizes.add(file.toFile().length()));
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        }
                    });
        }
        assertThat(sizes).hasSizeGreaterThan(30);
        long first = sizes.get(0);
        // Numbers in its header have more digits later.
        assertThat(sizes).allSatisfy(size -> assertThat(size - first).isBetween(0L, 8L));
    }

    @Test
    void oneFilmIsMadeByOneModel() throws IOException {
        Project project = project(DEMO, story());
        try (SanaVideo sana = open(project)) {
            assertThatThrownBy(() -> sana.generate(project, stopAfter(1, sana)))
                    .isInstanceOf(CancelledException.class);
        }
        Project other = project(DEMO.withPrecision(Precision.BF16), story());
        try (SanaVideo sana = open(other)) {
            assertThatThrownBy(() -> sana.generate(other, ProgressListener.NONE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("made with something else")
                    .hasMessageContaining("dtype")
                    .hasMessageContaining("begin another project");
        }
        assertThat(film()).doesNotExist();
    }

    /** Not even when a run with another story, which was given up, lies between. */
    @Test
    void chunksOfAnotherModelAreNotTakenUp() {
        Story story =
                Story.of(
                        TextToVideo.prompt("").seed(1).steps(1).chunk(2).build(),
                        Beat.of(2, "a red circle"));
        Project first = project(DEMO, story);
        try (SanaVideo sana = open(first)) {
            sana.generate(first, ProgressListener.NONE);
        }
        Model other = DEMO.withPrecision(Precision.BF16);
        Project between = project(other, story.withSeed(2));
        try (SanaVideo sana = open(between)) {
            assertThatThrownBy(() -> sana.generate(between, stopAfter(0, sana)))
                    .isInstanceOf(CancelledException.class);
            Project again = project(other, story);
            assertThat(sana.generate(again, ProgressListener.NONE).frameHash())
                    .isEqualTo(hash(sana, story));
        }
    }

    @Test
    void isWorkedOnByOneProgram() {
        Project project = project(DEMO, story());
        try (SanaVideo sana = open(project);
                ProjectFolder other = ProjectFolder.open(project)) {
            assertThatThrownBy(() -> sana.generate(project, ProgressListener.NONE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another program works on this project");
        }
    }

    @Test
    void refusesOtherFolders() throws IOException {
        Files.createDirectory(folder.resolve("project"));
        assertThat(project(DEMO, story()).story()).isNotNull();
        Path other = Files.createDirectory(folder.resolve("other"));
        Files.createFile(other.resolve("something"));
        assertThatThrownBy(() -> Project.create(other, DEMO, story(), ClipFile.of(film())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is no project");
        assertThatThrownBy(() -> Project.open(other))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("generate --project");
        assertThatThrownBy(
                        () ->
                                Project.create(
                                        folder.resolve("new"),
                                        DEMO,
                                        story(),
                                        ClipFile.of(folder.resolve("film.gif"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(".mp4");
        Path nowhere = folder.resolve("nowhere/film.mp4");
        assertThatThrownBy(
                        () ->
                                Project.create(
                                        folder.resolve("new"), DEMO, story(), ClipFile.of(nowhere)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nowhere")
                .hasMessageContaining("create it first");
        assertThat(folder.resolve("new")).doesNotExist();
        Path json = project(DEMO, story()).folder().resolve("project.json");
        String text = Files.readString(json);
        for (String word : List.of("medium", "auto")) {
            Files.writeString(json, text.replace('"' + word + '"', "\"unknown\""));
            assertThatThrownBy(() -> Project.open(json.getParent()))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("project.json");
        }
        assertThatThrownBy(() -> project(DEMO, story()).reroll(6, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("beat is 6, expected 1 to 5");
    }

    /** What is read is what was written; a seed that was left open is drawn once. */
    @Test
    void remembersHowItIsMade() {
        Model model =
                DEMO.withMemory(1_000_000_000)
                        .withLayers(LayerPolicy.STANDARD)
                        .withKernels(Kernels.OWN);
        Story story =
                new Story(
                        TextToVideo.prompt("35mm: \"film\"\nsoft")
                                .negativePrompt("blur")
                                .motionScore(10)
                                .size(64, 96)
                                .fps(12.5)
                                .steps(7)
                                .guidance(3.25)
                                .flowShift(4)
                                .sampler(Sampler.UNIPC)
                                .chunk(3)
                                .instruction(Instruction.of("Describe: "))
                                .build(),
                        story().beats());
        Project written = project(model, story);
        assertThat(written.story().look().seed()).isNotNull();
        Project read = Project.open(written.folder());
        assertThat(read.model()).isEqualTo(written.model());
        assertThat(read.story().look()).isEqualTo(written.story().look());
        assertThat(read.output()).isEqualTo(written.output());
        for (int i = 0; i < story.beats().size(); i++) {
            Beat asked = story.beats().get(i);
            Beat beat = read.story().beats().get(i);
            assertThat(beat.prompt()).isEqualTo(asked.prompt());
            assertThat(beat.seconds()).isEqualTo(asked.seconds());
            assertThat(beat.seed()).isEqualTo(asked.seed());
            assertThat(beat.transition()).isEqualTo(asked.transition());
            assertThat(beat.dissolve()).isEqualTo(asked.dissolve());
            assertThat(beat.image() == null ? "" : beat.image().sha256())
                    .isEqualTo(asked.image() == null ? "" : asked.image().sha256());
        }
    }
}
