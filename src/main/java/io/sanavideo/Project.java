package io.sanavideo;

import io.sanavideo.pipeline.ProjectFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A story's film that is made in a folder, where each chunk is kept as soon as it is done: a run
 * that ended early is gone on with, and a beat that does not please is made again from there.
 *
 * <pre>{@code
 * Project project = Project.create(Path.of("fox"), model, story, ClipFile.of(Path.of("fox.mp4")));
 * try (SanaVideo sana = SanaVideo.open(project.model(), project.story(), listener)) {
 *     sana.generate(project, listener);
 *     sana.generate(project.reroll(3, 9), listener);
 * }
 * }</pre>
 *
 * @param folder that it is made in
 * @param model that makes it
 * @param story with a seed
 * @param output the film's file, an mp4
 */
public record Project(Path folder, Model model, Story story, ClipFile output) {
    private static final long SEED_BOUND = 1L << 32;

    public Project {
        Objects.requireNonNull(folder, "folder");
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(story, "story");
        Objects.requireNonNull(output, "output");
        if (story.look().seed() == null) {
            story = story.withSeed(ThreadLocalRandom.current().nextLong(SEED_BOUND));
        }
    }

    /**
     * Writes a project into a folder, which is made where it is not there. Where there is a
     * project, this one takes its place, and its chunks that were asked to be the same are not made
     * again.
     *
     * @param story a seed that it does not have is drawn
     * @throws IllegalArgumentException when the folder is there and is no project's, or the film
     *     cannot be written where it is to be
     */
    public static Project create(Path folder, Model model, Story story, ClipFile output) {
        Project project = new Project(folder, model, story, output);
        ProjectFolder.write(project);
        return project;
    }

    /**
     * The project in a folder.
     *
     * @throws ModelFormatException when there is none, or a file of it is broken
     */
    public static Project open(Path folder) {
        return ProjectFolder.read(folder);
    }

    /**
     * Gives a beat other noise, and writes that down: with the next generation the film is made
     * again from there on. What was before it stays as it is, bit by bit.
     *
     * @param beat from 1
     * @throws IllegalArgumentException when there is no such beat
     */
    public Project reroll(int beat, long seed) {
        List<Beat> beats = new ArrayList<>(story.beats());
        if (beat < 1 || beat > beats.size()) {
            throw new IllegalArgumentException(
                    "beat is %d, expected 1 to %d".formatted(beat, beats.size()));
        }
        beats.set(beat - 1, beats.get(beat - 1).withSeed(seed));
        return create(folder, model, new Story(story.look(), beats), output);
    }
}
