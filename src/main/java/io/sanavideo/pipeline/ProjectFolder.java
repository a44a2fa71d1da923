package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ClipFile;
import io.sanavideo.Generated;
import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.ProgressListener;
import io.sanavideo.Project;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.media.Quality;
import io.sanavideo.media.SegmentJoiner;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A {@link Project} on disk:
 *
 * <pre>
 * project.json     model, output and how it is written
 * story.yaml       the story, with all that was left out filled in; may be edited
 * images/          pictures that beats begin with
 * made-with.json   the recipe of the chunks: what computed them
 * chunks/          {@link ChunkFiles}
 * </pre>
 */
public final class ProjectFolder implements AutoCloseable {
    private static final int VERSION = 1;
    private static final String PROJECT = "project.json";
    private static final String STORY = "story.yaml";
    private static final String RECIPE = "made-with.json";

    private final Project project;
    private final FileChannel lock;

    private ProjectFolder(Project project, FileChannel lock) {
        this.project = project;
        this.lock = lock;
    }

    /**
     * Writes a project's files. Chunks of a project that was there stay: those that were asked to
     * be the same are not made again.
     *
     * @throws IllegalArgumentException when the folder is there and is no project's, or the film
     *     cannot be written where it is to be
     */
    public static void write(Project project) {
        Path folder = project.folder();
        SegmentJoiner.requirePossible(project.output().path());
        if (Files.exists(folder) && !isEmpty(folder) && !Files.exists(folder.resolve(PROJECT))) {
            throw new IllegalArgumentException(
                    "%s is there and is no project, expected an empty folder, one that is not there, or a project's"
                            .formatted(folder));
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new IllegalArgumentException(folder + ": cannot be made: " + e, e);
        }
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("project", VERSION);
        ClipFile output = project.output();
        json.put("output", output.path().toAbsolutePath().normalize().toString());
        json.put("quality", output.quality().name().toLowerCase(Locale.ROOT));
        json.put("timecode", output.timecode());
        json.set("model", ProjectModel.json(project.model()));
        new StoryWriter(folder.resolve(STORY)).write(project.story());
        TextFile.write(folder.resolve(PROJECT), json.toPrettyString() + "\n");
    }

    private static boolean isEmpty(Path folder) {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        } catch (IOException e) {
            throw new IllegalArgumentException(folder + ": cannot be read: " + e, e);
        }
    }

    /**
     * @throws ModelFormatException when it is none, or a file of it is broken
     */
    public static Project read(Path folder) {
        Path file = folder.resolve(PROJECT);
        if (!Files.exists(file)) {
            throw new ModelFormatException(
                    "%s: has no %s, expected a folder that generate --project has made"
                            .formatted(folder, PROJECT));
        }
        Json json = Json.read(file);
        json.requiredInt("project", VERSION, VERSION);
        Model model;
        ClipFile output;
        try {
            model = ProjectModel.read(json.requiredObject("model"));
            output = output(json);
        } catch (IllegalArgumentException e) {
            throw new ModelFormatException(file + ": " + e.getMessage(), e);
        }
        if (Files.exists(folder.resolve(RECIPE))) {
            // Threads and kernels that were chosen by themselves are those that were chosen then.
            model = recipe(folder.resolve(RECIPE)).model(model);
        }
        return new Project(
                folder, model, StoryFile.read(folder.resolve(STORY), look -> {}), output);
    }

    private static ClipFile output(Json json) {
        return new ClipFile(
                Path.of(json.requiredText("output")),
                Quality.valueOf(json.requiredText("quality").toUpperCase(Locale.ROOT)),
                json.requiredBoolean("timecode"));
    }

    private static Recipe recipe(Path file) {
        try {
            return Recipe.read(Files.readString(file));
        } catch (IOException e) {
            throw new ModelFormatException(file + ": cannot be read: " + e, e);
        } catch (ModelFormatException e) {
            throw new ModelFormatException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Opens a project for work, alone.
     *
     * @throws IllegalStateException when another program works on it
     * @throws IllegalArgumentException when the film cannot be written where it is to be
     */
    static ProjectFolder open(Project project) {
        SegmentJoiner.requirePossible(project.output().path());
        Path file = project.folder().resolve(".lock");
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (channel.tryLock() != null) {
                return new ProjectFolder(project, channel);
            }
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be locked: " + e, e);
        } catch (OverlappingFileLockException e) {
            // Another thread of this program has it.
            closed(channel);
        }
        throw new IllegalStateException(
                project.folder() + ": another program works on this project; wait for it");
    }

    private static void closed(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ChunkFiles chunks() {
        return new ChunkFiles(project.folder().resolve("chunks"));
    }

    /** What is done of its film. */
    ProjectLog log(FilmSettings film) {
        ChunkFiles files = chunks();
        files.clean(film.film().chunks());
        ClipFile output = project.output();
        return new ProjectLog(
                files,
                film,
                "%s, timecode %s".formatted(output.quality(), output.timecode()),
                path -> FileSink.openSegment(path, output, film.settings().format()));
    }

    /**
     * Writes down what is going to compute: chunks of one film are to be of the same weights, build
     * and device.
     *
     * @param done how many are there
     * @throws IllegalArgumentException when those that are there were not, naming what is not the
     *     same
     */
    void begin(String recipe, int done) {
        Path file = project.folder().resolve(RECIPE);
        if (done > 0 || Files.exists(file)) {
            List<String> differences = recipe(file).differencesInMaking(Recipe.read(recipe));
            if (!differences.isEmpty() && done > 0) {
                throw new IllegalArgumentException(
                        "%s: its chunks were made with something else (%s), expected the same for the whole film: begin another project"
                                .formatted(project.folder(), String.join("; ", differences)));
            }
            if (!differences.isEmpty()) {
                // Another story's; were it asked for again, they would be taken for this model's.
                chunks().clean(0);
            }
        }
        TextFile.write(file, recipe + "\n");
    }

    /** Joins the segments of a film that is done. */
    void join(List<Path> segments, Generated generated, ProgressListener listener) {
        String codec = ClipInfo.read(segments.get(0)).metadata().get(FileSink.CODEC);
        FileSink.writing(
                listener,
                () ->
                        SegmentJoiner.join(
                                segments,
                                project.output().path(),
                                generated.format().fps(),
                                FileSink.metadata(generated, codec, project.output().timecode()),
                                FileSink.chapters(generated)));
    }

    @Override
    public void close() {
        closed(lock);
    }
}
