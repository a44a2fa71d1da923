package io.sanavideo.cli;

import io.sanavideo.Project;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the commands share that go on with a project. */
final class ProjectOptions {
    @Parameters(paramLabel = "DIR", description = "As generate --project has made it.")
    private Path folder;

    @Option(names = "--json", description = "Prints one event a line on standard output.")
    private boolean json;

    @Option(names = "--quiet", description = "Prints nothing but errors.")
    private boolean quiet;

    Project project() {
        return Project.open(folder);
    }

    /** Makes what is not done of a project's film. */
    void make(Project project) {
        try (Display display = Display.of(json, quiet)) {
            display.device(project.model().device(), null);
            ProjectRun.make(project, false, display);
        }
    }
}
