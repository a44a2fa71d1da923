package io.sanavideo.cli;

import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import io.sanavideo.Generated;
import io.sanavideo.Progress;
import io.sanavideo.Progress.Phase;
import io.sanavideo.Reproduction;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** For a person: a bar for each phase on standard error, a closing line on standard output. */
final class TextDisplay implements Display {
    private static final int COLUMNS = 78;
    private static final long MEGABYTE = 1_000_000;
    private static final int UPDATE_MILLIS = 100;

    /** What is to be said where frames differ and all that is named is the same. */
    private static final String NO_REASON =
            """
            build, device, libraries, weights and settings are the same here as far as recipes name them.
            Either recipe or hash were changed after they were written, or what differs is not named,
            such as this program's Java code in the same version.""";

    private final PrintStream out;
    private final PrintStream err;
    private Phase phase;
    private ProgressBar bar;

    TextDisplay(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    @Override
    public void device(Device device, String whyNotCuda) {
        err.println(
                whyNotCuda == null
                        ? "device   " + device
                        : "device   %s: %s".formatted(device, whyNotCuda));
    }

    @Override
    public void begin(Path output, int number, int clips) {
        if (clips > 1) {
            closeBar();
            err.println("clip %d of %d: %s".formatted(number, clips, output));
        }
    }

    @Override
    public void note(String note) {
        closeBar();
        err.println(note);
    }

    @Override
    public void onProgress(Progress progress) {
        if (bar == null || phase != progress.phase()) {
            closeBar();
            phase = progress.phase();
            bar = bar(progress);
        }
        bar.stepTo(progress.step());
        if (progress.step() == progress.total()) {
            closeBar();
        }
    }

    private ProgressBar bar(Progress progress) {
        String name = progress.phase().name().toLowerCase(Locale.ROOT);
        // The consumer with a fixed width asks the terminal nothing, which would take long.
        ProgressBarBuilder builder =
                new ProgressBarBuilder()
                        .setTaskName("%-8s".formatted(name))
                        .setInitialMax(progress.total())
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(UPDATE_MILLIS)
                        .setConsumer(new ConsoleProgressBarConsumer(err, COLUMNS));
        if (progress.phase() == Phase.LOAD) {
            builder.setUnit("MB", MEGABYTE);
        }
        return builder.build();
    }

    private void closeBar() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    @Override
    public void done(Path output, Generated generated) {
        closeBar();
        out.println(
                "%s: %d frames of %dx%d, %.1f s at %s fps, %s, made in %.2f s, seed %d"
                        .formatted(
                                output,
                                generated.format().frames(),
                                generated.format().width(),
                                generated.format().height(),
                                generated.format().seconds(),
                                fps(generated.format().fps()),
                                size(bytes(output)),
                                generated.elapsed().toMillis() / 1000.0,
                                generated.seed()));
    }

    @Override
    public void reproduced(Reproduction again) {
        closeBar();
        Path file = again.clip().file();
        if (again.isIdentical()) {
            ClipFormat format = again.made().format();
            out.println(
                    "%s: identical, all %d frames of %dx%d, made again in %.2f s"
                            .formatted(
                                    file,
                                    format.frames(),
                                    format.width(),
                                    format.height(),
                                    again.made().elapsed().toMillis() / 1000.0));
            return;
        }
        out.println(file + ": differs");
        again.differences().forEach(difference -> out.println("  " + difference));
        if (again.differences().isEmpty()) {
            out.println(NO_REASON.indent(2).stripTrailing());
        }
        out.println("  frames in the file: " + again.clip().frameHash());
        out.println("  frames made now:    " + again.made().frameHash());
    }

    private static String fps(double fps) {
        return fps == Math.rint(fps) ? Long.toString((long) fps) : Double.toString(fps);
    }

    private static String size(long bytes) {
        return bytes < 1_000_000
                ? "%.1f KB".formatted(bytes / 1e3)
                : "%.1f MB".formatted(bytes / 1e6);
    }

    /** Bytes of a file, or of all files in a folder. */
    static long bytes(Path output) {
        try (Stream<Path> files = Files.walk(output)) {
            long bytes = 0;
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                bytes += Files.size(file);
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        closeBar();
    }
}
