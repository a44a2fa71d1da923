package io.sanavideo.cli;

import io.sanavideo.ClipFile;
import io.sanavideo.Generated;
import io.sanavideo.Model;
import io.sanavideo.Plan;
import io.sanavideo.Project;
import io.sanavideo.SanaVideo;
import io.sanavideo.Story;
import io.sanavideo.media.Quality;
import io.sanavideo.pipeline.LatentsFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video generate}: clips from prompts. */
@Command(
        name = "generate",
        description = "Makes a clip from a prompt, or a batch of clips.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "What is left out is as the model's generation_defaults.json says, or as the released models",
            "were made to run. In a batch the files are named after -o: clip-1.mp4, clip-2.mp4, ..."
        })
final class GenerateCommand implements Callable<Integer> {
    @ArgGroup(multiplicity = "1")
    private PromptSource source;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "A .mp4, a .gif, or a folder for .png images.")
    private Path output;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "1",
            description = "Clips of each prompt, with the seeds that follow.")
    private int count;

    @Option(
            names = "--latents-out",
            paramLabel = "FILE",
            description = "Writes the final latents, in the same form.")
    private Path latentsOut;

    @Option(
            names = "--project",
            paramLabel = "DIR",
            description = {
                "With --story: keeps each chunk in this folder as soon as it is done, so that the film",
                "can be gone on with (resume) and beats be made again (reroll)."
            })
    private Path project;

    @Option(
            names = "--quality",
            paramLabel = "low|medium|high",
            defaultValue = "medium",
            description = "Of the mp4 (default: ${DEFAULT-VALUE}).")
    private Quality quality;

    @Option(
            names = "--timecode",
            description = "Writes the time, HH:MM:SS:FF, into each picture's corner.")
    private boolean timecode;

    @Mixin private BeatFiles beatFiles;

    @Option(
            names = "--strict",
            description = "Refuses what goes beyond what the model was made for.")
    private boolean strict;

    @Option(names = "--json", description = "Prints one event a line on standard output.")
    private boolean json;

    @Option(names = "--quiet", description = "Prints nothing but errors.")
    private boolean quiet;

    @Mixin private ClipOptions clip;

    @Mixin private ModelOptions options;

    @Mixin private LoraOptions loras;

    @Mixin private KernelOptions kernels;

    @Override
    public Integer call() {
        checkBeatFiles();
        if (project != null) {
            return project();
        }
        List<Job> jobs = jobs();
        try (Display display = Display.of(json, quiet);
                SanaVideo sana = open(display, jobs.get(0).asked());
                Interrupt interrupt = Interrupt.calls(sana::cancel)) {
            for (Job job : jobs) {
                display.begin(job.output(), job.number(), jobs.size());
                check(job, job.asked().plan(sana), display);
                Generated generated = job.asked().make(sana, job.file(quality, timecode), display);
                if (job.latentsOut() != null) {
                    LatentsFile.write(job.latentsOut(), generated.latents());
                }
                display.done(job.output(), generated);
                beatFiles.write(job.output(), display::note);
            }
        }
        return ExitCode.DONE;
    }

    private void checkBeatFiles() {
        boolean isMp4 = output.toString().toLowerCase(Locale.ROOT).endsWith(".mp4");
        if (beatFiles.areAsked() && (source.story == null || !isMp4)) {
            throw new IllegalArgumentException(
                    "--sheet or --timeline was given, expected neither: they are of a --story that is made into a .mp4");
        }
        beatFiles.requirePossible();
    }

    private int project() {
        if (source.story == null) {
            throw new IllegalArgumentException(
                    "--project was given without --story, expected both: a project is a story's, which may have one beat");
        }
        Story story = story().story();
        try (Display display = Display.of(json, quiet)) {
            Model model = model(display);
            ClipFile file = new ClipFile(output, quality, timecode);
            ProjectRun.make(Project.create(project, model, story, file), strict, display);
            beatFiles.write(output, display::note);
        }
        return ExitCode.DONE;
    }

    private void check(Job job, Plan plan, Display display) {
        if (job.latentsOut() != null && plan.inChunks()) {
            throw new IllegalArgumentException(
                    "--latents-out was given, expected none: a clip that is made chunk by chunk keeps none; with --chunk off it does");
        }
        display.plan(plan, strict);
    }

    private SanaVideo open(Display display, Asked first) {
        return first.open(model(display), display);
    }

    private Model model(Display display) {
        display.device(options.device(), options.whyNotCuda());
        return loras.adapted(options.model(clip.model(), kernels.kernels()));
    }

    /** One clip of the batch, numbered from 1. */
    private record Job(int number, Asked asked, Path output, Path latentsOut) {
        ClipFile file(Quality quality, boolean timecode) {
            return new ClipFile(output, quality, timecode);
        }
    }

    private List<Job> jobs() {
        if (count < 1) {
            throw new IllegalArgumentException(
                    "--count is %d, expected 1 or more".formatted(count));
        }
        if (source.story != null) {
            return List.of(new Job(1, story(), output, null));
        }
        List<String> prompts = source.prompts();
        int clips = Math.multiplyExact(prompts.size(), count);
        long firstSeed = clip.firstSeed();
        ClipOptions.Material material = clip.material();
        List<Job> jobs = new ArrayList<>();
        for (String prompt : prompts) {
            for (int i = 0; i < count; i++) {
                int number = jobs.size() + 1;
                jobs.add(
                        new Job(
                                number,
                                Asked.of(clip.request(prompt, firstSeed + i, material)),
                                numbered(output, number, clips),
                                latentsOut == null ? null : numbered(latentsOut, number, clips)));
            }
        }
        return jobs;
    }

    private Asked story() {
        if (count != 1 || latentsOut != null) {
            throw new IllegalArgumentException(
                    "--count or --latents-out was given, expected neither: a story is one film, of which no latents are kept");
        }
        return Asked.of(clip.story(source.story));
    }

    /** clip.mp4 as it is for one clip; clip-01.mp4 and so on for ten. */
    private static Path numbered(Path path, int number, int clips) {
        if (clips == 1) {
            return path;
        }
        String name = path.getFileName().toString();
        int dot = name.lastIndexOf('.') < 1 ? name.length() : name.lastIndexOf('.');
        int digits = Integer.toString(clips).length();
        String suffix = "-" + "0".repeat(digits - Integer.toString(number).length()) + number;
        return path.resolveSibling(name.substring(0, dot) + suffix + name.substring(dot));
    }

    /** Where the prompts come from. */
    private static final class PromptSource {
        @Parameters(paramLabel = "PROMPT", description = "What to show.")
        private String prompt;

        @Option(
                names = "--prompt-file",
                paramLabel = "FILE",
                description = "A prompt a line; more than one makes a batch.")
        private Path file;

        @Option(
                names = "--story",
                paramLabel = "FILE",
                description = "A film of several beats, as a YAML file says.")
        private Path story;

        List<String> prompts() {
            return file == null ? List.of(prompt) : PromptFile.read(file);
        }
    }
}
