package io.sanavideo.cli;

import io.sanavideo.Project;
import io.sanavideo.SanaVideo;

/** Makes what is not done of a project's film. */
final class ProjectRun {
    private ProjectRun() {}

    /**
     * @param strict whether what goes beyond what the model was made for is refused
     */
    static void make(Project project, boolean strict, Display display) {
        try (SanaVideo sana = SanaVideo.open(project.model(), project.story(), display);
                Interrupt interrupt = Interrupt.calls(sana::cancel)) {
            display.begin(project.output().path(), 1, 1);
            display.plan(sana.plan(project.story()), strict);
            display.done(project.output().path(), sana.generate(project, display));
        }
    }
}
