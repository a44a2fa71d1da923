package io.sanavideo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.FrameSink;
import io.sanavideo.Model;
import io.sanavideo.ProgressListener;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.model.Bench;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Native;
import io.sanavideo.runtime.vendor.KernelChoices;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video bench}: how long parts of the model take here. */
@Command(
        name = "bench",
        description = {
            "Times a part of the model on random weights at the released 480p widths:",
            "  block     one transformer block, keys and values of the text included",
            "  product   one linear layer, 2240 to 13440 features unless --size says otherwise",
            "  vae       the VAE's decoder for one latent frame, which makes four frames",
            "  encoder   the VAE's encoder for four frames, which make one latent frame",
            "  pipeline  the whole built-in demo clip, text to decoded frames, warm",
            "or of a long video of the demo model:",
            "  chunks    each of its chunks, of which a late one must take no longer than an early one",
            "  reroll    a project's film of eight beats, and its last beat again",
            "or looks whether memory comes back:",
            "  soak      clips, long clips and stories of the demo model, --runs of them in turn"
        },
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    private enum Part {
        BLOCK,
        PRODUCT,
        VAE,
        ENCODER,
        PIPELINE,
        CHUNKS,
        REROLL,
        SOAK
    }

    @Parameters(
            paramLabel = "block|product|vae|encoder|pipeline|chunks|reroll|soak",
            description = "What to time.")
    private Part part;

    @Option(
            names = "--frames",
            paramLabel = "N",
            defaultValue = "5",
            description = "Of the token grid (default: ${DEFAULT-VALUE}).")
    private int frames;

    @Option(
            names = "--height",
            paramLabel = "N",
            defaultValue = "16",
            description =
                    "Of the token grid, or of the latent for vae and encoder (default: ${DEFAULT-VALUE}).")
    private int height;

    @Option(
            names = "--width",
            paramLabel = "N",
            defaultValue = "28",
            description =
                    "Of the token grid, or of the latent for vae and encoder (default: ${DEFAULT-VALUE}).")
    private int width;

    @Option(
            names = "--text",
            paramLabel = "N",
            defaultValue = "300",
            description = "Text tokens (default: ${DEFAULT-VALUE}).")
    private int text;

    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "0",
            description = "Of a square product.")
    private int size;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "20",
            description = "Of each beat of reroll (default: ${DEFAULT-VALUE}).")
    private double beatSeconds;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "5",
            description = "Timed runs after one that is not (default: ${DEFAULT-VALUE}).")
    private int runs;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Mixin private ModelOptions options;

    @Mixin private KernelOptions kernels;

    @Override
    public Integer call() throws Exception {
        if (runs < 1) {
            throw new IllegalArgumentException("--runs is %d, expected 1 or more".formatted(runs));
        }
        if (part == Part.PIPELINE) {
            pipeline();
            return ExitCode.DONE;
        }
        if (part == Part.CHUNKS) {
            chunks();
            return ExitCode.DONE;
        }
        if (part == Part.REROLL) {
            reroll();
            return ExitCode.DONE;
        }
        if (part == Part.SOAK) {
            return soak();
        }
        DType compute = DType.of(options.precision(), options.device());
        try (Context context = Context.on(options.device());
                KernelChoices choices = KernelChoices.of(options.device(), kernels.kernels());
                Bench bench = open(context, compute)) {
            choices.chooseFor(context, bench::run);
            report(compute.toString(), context.threads(), bench.operations(), bench::run);
        }
        return ExitCode.DONE;
    }

    private Bench open(Context context, DType compute) {
        return switch (part) {
            case BLOCK -> Bench.block(context, compute, frames, height, width, text);
            case PRODUCT ->
                    size > 0
                            ? Bench.product(context, compute, size, size, size)
                            : Bench.product(context, compute, 2240, 2240, 13440);
            case VAE -> Bench.vae(context, compute, height, width);
            case ENCODER -> Bench.vaeEncoder(context, compute, height, width);
            case PIPELINE, CHUNKS, REROLL, SOAK -> throw new IllegalStateException();
        };
    }

    private int soak() throws Exception {
        if (runs < Soak.FEWEST) {
            throw new IllegalArgumentException(
                    "--runs is %d, expected %d or more".formatted(runs, Soak.FEWEST));
        }
        try (SanaVideo sana = demo()) {
            return new Soak(sana, System.out).run(runs) ? ExitCode.DONE : ExitCode.FAILED;
        }
    }

    private void chunks() throws Exception {
        try (SanaVideo sana = demo()) {
            ChunkTimes times = ChunkTimes.of(sana, runs);
            if (!json) {
                System.out.println(times.described(runs));
                return;
            }
            ObjectNode result = result(options.precision().toString(), options.device().threads());
            times.put(result);
            System.out.println(result);
        }
    }

    private void reroll() throws Exception {
        RerollTimes times = RerollTimes.of(demoModel(), beatSeconds, runs);
        if (!json) {
            System.out.println(times.described(runs));
            return;
        }
        ObjectNode result = result(options.precision().toString(), options.device().threads());
        times.put(result);
        System.out.println(result);
    }

    private Model demoModel() {
        return options.model(SanaVideo.demoModel(), kernels.kernels());
    }

    private SanaVideo demo() {
        return SanaVideo.open(demoModel(), ProgressListener.NONE);
    }

    private void pipeline() throws Exception {
        TextToVideo request =
                TextToVideo.prompt("a red circle moving left on a black background")
                        .seed(7)
                        .build();
        try (SanaVideo sana =
                SanaVideo.open(
                        options.model(SanaVideo.demoModel(), kernels.kernels()),
                        request,
                        ProgressListener.NONE)) {
            report(
                    options.precision().toString(),
                    options.device().threads(),
                    0,
                    () -> sana.generate(request, FrameSink.NONE));
        }
    }

    private void report(String dtype, int threads, double operations, Runnable body)
            throws Exception {
        body.run();
        double[] seconds = new double[runs];
        for (int i = 0; i < runs; i++) {
            long start = System.nanoTime();
            body.run();
            seconds[i] = (System.nanoTime() - start) / 1e9;
        }
        Arrays.sort(seconds);
        double median = seconds[runs / 2];
        if (!json) {
            System.out.printf(
                    "%s %s: median %.4f s, least %.4f s of %d runs%s%n",
                    part.name().toLowerCase(),
                    dtype,
                    median,
                    seconds[0],
                    runs,
                    operations > 0 ? ", %.0f GFLOP/s".formatted(operations / median / 1e9) : "");
            return;
        }
        ObjectNode result = result(dtype, threads).put("median_s", median).put("min_s", seconds[0]);
        if (part == Part.BLOCK) {
            result.put("tokens", frames * height * width);
        }
        if (operations > 0) {
            result.put("gflop", operations / 1e9).put("gflops", operations / median / 1e9);
        }
        System.out.println(result);
    }

    /** What every result begins with. */
    private ObjectNode result(String dtype, int threads) {
        return new ObjectMapper()
                .createObjectNode()
                .put("what", "sana-video " + part.name().toLowerCase())
                .put("version", Native.version())
                .put("cpu_variant", Native.cpuVariant())
                .put("device", options.device().toString())
                .put("dtype", dtype.toLowerCase())
                .put("threads", threads);
    }
}
