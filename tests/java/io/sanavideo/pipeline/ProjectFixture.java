package io.sanavideo.pipeline;

import io.sanavideo.Beat;
import io.sanavideo.ClipFile;
import io.sanavideo.Device;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Model;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.Project;
import io.sanavideo.SanaVideo;
import io.sanavideo.StartImage;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/** A story of small chunks, projects of it, and what lies in their folder. */
abstract class ProjectFixture {
    static final int STEPS = 3;
    static final Model DEMO =
            Model.at(SanaVideo.demoModel(), Device.cpu()).withPrecision(Precision.F32);

    @TempDir Path folder;

    Path film() {
        return folder.resolve("film.mp4");
    }

    Path chunks() {
        return folder.resolve("project/chunks");
    }

    /** Of small chunks: all transitions, and a dissolve that is longer than a chunk. */
    static Story story() {
        StartImage image = StartImage.read(Path.of("tests/golden/demo/start-images/00.png"));
        return Story.of(
                TextToVideo.prompt("").seed(1).steps(STEPS).chunk(2).build(),
                Beat.of(2.5, "a red circle moving right on a black background"),
                Beat.of(2, "a blue circle moving left on a black background"),
                Beat.of(2, "a green square growing on a white background").with(Transition.CUT),
                Beat.of(2.5, "a yellow triangle moving up on a gray background")
                        .with(Transition.DISSOLVE)
                        .dissolvingFor(1.25)
                        .beginningWith(image),
                Beat.of(2, "a red circle moving up on a gray background").withSeed(5));
    }

    Project project(Model model, Story story) {
        return Project.create(folder.resolve("project"), model, story, ClipFile.of(film()));
    }

    static SanaVideo open(Project project) {
        return SanaVideo.open(project.model(), project.story(), ProgressListener.NONE);
    }

    static String hash(SanaVideo sana, Story story) {
        return sana.generate(story, FrameSink.NONE, ProgressListener.NONE).frameHash();
    }

    Map<String, FileTime> written() throws IOException {
        Map<String, FileTime> times = new TreeMap<>();
        try (Stream<Path> files = Files.list(chunks())) {
            for (Path file : files.toList()) {
                times.put(file.getFileName().toString(), Files.getLastModifiedTime(file));
            }
        }
        return times;
    }

    static Map<String, FileTime> of(Map<String, FileTime> files, int lastChunk) {
        return files.entrySet().stream()
                .filter(entry -> Integer.parseInt(entry.getKey().substring(0, 5)) <= lastChunk)
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    /** Cancels in the middle of a chunk, after so many whole ones. */
    static ProgressListener stopAfter(int chunks, SanaVideo sana) {
        long[] begun = {-1};
        return progress -> {
            if (progress.phase() == Phase.CHUNKS) {
                begun[0] = begun[0] < 0 ? progress.step() : begun[0];
                if (progress.step() == begun[0] + chunks * (STEPS + 1) + 1) {
                    sana.cancel();
                }
            }
        };
    }

    /** Makes a project's film and adds the steps that its chunks' progress is told of. */
    static Generated make(SanaVideo sana, Project project, List<Long> steps) {
        return sana.generate(
                project,
                progress -> {
                    if (progress.phase() == Phase.CHUNKS) {
                        steps.add(progress.step());
                    }
                });
    }
}
