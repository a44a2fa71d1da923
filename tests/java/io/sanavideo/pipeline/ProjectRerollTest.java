package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Beat;
import io.sanavideo.CancelledException;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.Project;
import io.sanavideo.SanaVideo;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import java.io.IOException;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Beats that are made again, and stories that become others: what stays, and what must not. */
class ProjectRerollTest extends ProjectFixture {
    /** A beat from other noise: what was before it is not touched. */
    @Test
    void makesABeatAgain() throws IOException {
        Project project = project(DEMO, story());
        try (SanaVideo sana = open(project)) {
            String before = sana.generate(project, ProgressListener.NONE).frameHash();
            Map<String, FileTime> files = written();
            List<byte[]> frames = MovieFrames.of(film());

            Project again = Project.open(project.folder()).reroll(4, 9);
            List<Long> steps = new ArrayList<>();
            Set<Long> texts = new HashSet<>();
            String after =
                    sana.generate(
                                    again,
                                    progress -> {
                                        if (progress.phase() == Phase.CHUNKS) {
                                            steps.add(progress.step());
                                        }
                                        if (progress.phase() == Phase.ENCODE) {
                                            texts.add(progress.total());
                                        }
                                    })
                            .frameHash();
            assertThat(after).isNotEqualTo(before);
            assertThat(after).isEqualTo(hash(sana, again.story()));

            // Beats 1 to 3 are chunks 1 to 9; the last frames of the third are under the dissolve.
            assertThat(steps.get(0)).isEqualTo(9L * (STEPS + 1));
            // Two prompts and the negative one.
            assertThat(texts).containsExactly(3L);
            assertThat(of(written(), 9)).isEqualTo(of(files, 9));
            List<byte[]> newFrames = MovieFrames.of(film());
            int same = 0;
            while (same < frames.size() && Arrays.equals(frames.get(same), newFrames.get(same))) {
                same++;
            }
            // The dissolve begins with frame 53.
            assertThat(same).isEqualTo(53);
        }
    }

    /** What comes after a beat that was made again is not what came after the old one. */
    @Test
    void makesWhatFollowsAgain() {
        Project project = project(DEMO, story());
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            Project again = project.reroll(4, 9);
            int chunksOfBeat = 4;
            assertThatThrownBy(() -> sana.generate(again, stopAfter(chunksOfBeat, sana)))
                    .isInstanceOf(CancelledException.class);
            assertThat(sana.generate(again, ProgressListener.NONE).frameHash())
                    .isEqualTo(hash(sana, again.story()));
        }
    }

    /** A shot that does not depend on what was made again is decoded again, not denoised. */
    @Test
    void laterShotsAreDecodedAlone() throws IOException {
        Project project = project(DEMO, story());
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            Map<String, FileTime> latents = latentsWritten();

            Project again = project.reroll(2, 9);
            assertThatThrownBy(() -> sana.generate(again, stopAfterDecoding(2, sana)))
                    .isInstanceOf(CancelledException.class);
            List<Long> steps = new ArrayList<>();
            String hash = make(sana, again, steps).frameHash();
            assertThat(hash).isEqualTo(hash(sana, again.story()));
            assertThat(steps).allMatch(step -> step % (STEPS + 1) == 0);
            // Beats 1 and 2 are chunks 1 to 5.
            assertThat(after(latentsWritten(), 5)).isEqualTo(after(latents, 5)).isNotEmpty();
            assertThat(latentsWritten().get("00005.safetensors"))
                    .isNotEqualTo(latents.get("00005.safetensors"));

            // And what they have left can be gone on from.
            Project third = again.reroll(4, 7);
            steps.clear();
            assertThat(make(sana, third, steps).frameHash()).isEqualTo(hash(sana, third.story()));
            assertThat(steps.get(0)).isEqualTo(9L * (STEPS + 1));
        }
    }

    /** Latents that were made from others in their shot are not those that are wanted. */
    @Test
    void latentsAreOfTheirShot() {
        Project project = project(DEMO, story());
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            Project again = project.reroll(4, 9);
            int chunksOfBeat = 4;
            assertThatThrownBy(() -> sana.generate(again, stopAfter(chunksOfBeat, sana)))
                    .isInstanceOf(CancelledException.class);
            Project third = again.reroll(3, 8);
            assertThat(sana.generate(third, ProgressListener.NONE).frameHash())
                    .isEqualTo(hash(sana, third.story()));
        }
    }

    /** A shot of which a part is another is denoised as a whole: nothing goes on from decoding. */
    @Test
    void partsOfShotsAreNotEnough() {
        Project project = project(DEMO, story());
        List<Beat> beats = new ArrayList<>(story().beats());
        beats.set(2, beats.get(2).withSeed(11));
        beats.set(4, beats.get(4).withSeed(12));
        Story other = new Story(story().look(), beats);
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            assertThat(sana.generate(project(DEMO, other), ProgressListener.NONE).frameHash())
                    .isEqualTo(hash(sana, other));
        }
    }

    /**
     * Pictures that wait at a beat's end are those of the shot before, as that is now: of beat 2
     * there are 5 pictures, so that one waits behind it where it dissolves in for 6.
     */
    @ParameterizedTest
    @CsvSource({"0.75, 0.75, 9", "0.75, 0.625, 1", "0.625, 0.75, 1"})
    void whatWaitsIsNotKept(double before, double now, long seedOfFirst) {
        Project project = project(DEMO, dissolving(before));
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            Project other = project(DEMO, dissolving(now)).reroll(1, seedOfFirst);
            sana.generate(other, ProgressListener.NONE);
            Project third = other.reroll(3, 5);
            assertThat(sana.generate(third, ProgressListener.NONE).frameHash())
                    .isEqualTo(hash(sana, third.story()));
        }
    }

    private static Story dissolving(double seconds) {
        return Story.of(
                TextToVideo.prompt("").seed(1).steps(1).chunk(1).build(),
                Beat.of(2, "a red circle"),
                Beat.of(0.5, "a blue circle").with(Transition.DISSOLVE).dissolvingFor(seconds),
                Beat.of(2, "a green circle"),
                Beat.of(1, "a green square").with(Transition.DISSOLVE).dissolvingFor(0.5));
    }

    private Map<String, FileTime> latentsWritten() throws IOException {
        Map<String, FileTime> latents = written();
        latents.keySet().removeIf(name -> !name.matches("\\d+\\.safetensors"));
        return latents;
    }

    private static Map<String, FileTime> after(Map<String, FileTime> files, int chunk) {
        Map<String, FileTime> later = new TreeMap<>(files);
        later.keySet().removeAll(of(files, chunk).keySet());
        return later;
    }

    /** Cancels where the next chunk is decoded, after so many were that were not denoised. */
    private static ProgressListener stopAfterDecoding(int chunks, SanaVideo sana) {
        long[] last = {-1, 0};
        return progress -> {
            if (progress.phase() == Phase.CHUNKS) {
                last[1] += progress.step() == last[0] + STEPS + 1 ? 1 : 0;
                last[0] = progress.step();
                if (last[1] == chunks) {
                    sana.cancel();
                }
            }
        };
    }

    /** Chunks that were asked to be the same are kept when the story is another. */
    @Test
    void keepsWhatTheStoryKeeps() throws IOException {
        Project project = project(DEMO, story());
        Story other =
                new Story(
                        story().look(),
                        Stream.concat(
                                        story().beats().subList(0, 3).stream(),
                                        Stream.of(Beat.of(2, "a cyan square").with(Transition.CUT)))
                                .toList());
        try (SanaVideo sana = open(project)) {
            sana.generate(project, ProgressListener.NONE);
            Map<String, FileTime> files = written();
            project = project(DEMO, other);
            String hash = sana.generate(project, ProgressListener.NONE).frameHash();
            assertThat(hash).isEqualTo(hash(sana, other));
            // The last chunk of beat 3 was under a dissolve.
            assertThat(of(written(), 5)).isEqualTo(of(files, 5)).isNotEmpty();
            assertThat(written().keySet()).noneMatch(name -> name.compareTo("00011") > 0);
        }
    }

    /** A dissolve that begins sooner takes pictures that were in the film before. */
    @Test
    void makesWhatALongerDissolveTakes() {
        for (double seconds : new double[] {0.5, 0.625}) {
            Story story =
                    Story.of(
                            TextToVideo.prompt("").seed(1).steps(1).chunk(2).build(),
                            Beat.of(2, "a red circle"),
                            Beat.of(2, "a blue circle")
                                    .with(Transition.DISSOLVE)
                                    .dissolvingFor(seconds));
            Project project = project(DEMO, story);
            try (SanaVideo sana = open(project)) {
                assertThat(sana.generate(project, ProgressListener.NONE).frameHash())
                        .isEqualTo(hash(sana, story));
            }
        }
    }
}
