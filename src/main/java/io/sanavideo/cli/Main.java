package io.sanavideo.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code sana-video} command. */
@Command(
        name = "sana-video",
        description = "Makes video from text with SANA-Video.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            GenerateCommand.class,
            ResumeCommand.class,
            RerollCommand.class,
            ReproduceCommand.class,
            EncodeCommand.class,
            DecodeCommand.class,
            PlanCommand.class,
            CheckCommand.class,
            InspectCommand.class,
            BeatsCommand.class,
            QuantizeCommand.class,
            TokenizeCommand.class,
            RandomModelCommand.class,
            DevicesCommand.class,
            BenchCommand.class,
            DoctorCommand.class
        },
        footer = {
            "",
            "For example:",
            "  sana-video generate \"a red circle moving left on a black background\" -o clip.mp4",
            "",
            "Exit codes: 0 done, 1 the check or run failed, 2 usage or not supported, 3 does not fit in",
            "memory, 4 differs, 5 bad model or input file, 6 device fault, 130 cancelled."
        })
public final class Main implements Runnable {
    @Spec private CommandSpec spec;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Show a stack trace when something fails.")
    private boolean verbose;

    public static void main(String[] arguments) {
        // A contact sheet needs no screen, and one that is named but cannot be reached is an error.
        System.setProperty("java.awt.headless", "true");
        System.exit(run(arguments));
    }

    /** Runs one command line; returns its exit code. */
    static int run(String... arguments) {
        Main main = new Main();
        return new CommandLine(main)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // a prompt may begin with @
                .setExecutionExceptionHandler(
                        (exception, commandLine, parsed) ->
                                ExitCode.report(exception, main.verbose, commandLine.getErr()))
                .execute(arguments);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: name a command.");
    }
}
