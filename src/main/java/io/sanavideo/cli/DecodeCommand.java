package io.sanavideo.cli;

import io.sanavideo.ClipFormat;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.LatentCodec;
import io.sanavideo.Latents;
import io.sanavideo.media.ClipReader;
import io.sanavideo.media.Psnr;
import io.sanavideo.media.Quality;
import io.sanavideo.pipeline.LatentsFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video decode}: latents to a video file. */
@Command(
        name = "decode",
        description = "Decodes latents to a video file with a model's VAE.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class DecodeCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "LATENTS",
            description = "'latents' [1, C, T, H, W] of a safetensors file, normalised.")
    private Path input;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "A .mp4, a .gif, or a folder for .png images.")
    private Path output;

    @Option(
            names = "--fps",
            paramLabel = "N",
            defaultValue = "0",
            description = "Frames a second (default: the model's).")
    private double fps;

    @Option(
            names = "--quality",
            paramLabel = "low|medium|high",
            defaultValue = "medium",
            description = "Of the mp4 (default: ${DEFAULT-VALUE}).")
    private Quality quality;

    @Option(
            names = "--against",
            paramLabel = "CLIP",
            description =
                    "The clip that was encoded: prints the PSNR of the frames, before they are written, to its.")
    private Path original;

    @Mixin private TileOption tile;

    @Mixin private VaeOptions vae;

    @Override
    public Integer call() {
        Latents latents = LatentsFile.read(input);
        try (Display display = vae.display();
                LatentCodec codec = vae.open(display, tile.pixels());
                Interrupt interrupt = Interrupt.calls(codec::cancel);
                Witness witness = original == null ? null : new Witness(original)) {
            Generated decoded =
                    codec.decodeTo(
                            latents,
                            fps,
                            output,
                            quality,
                            witness == null ? FrameSink.NONE : witness,
                            display);
            display.close();
            ClipFormat format = decoded.format();
            vae.print(
                    "%s: %d frames of %dx%d, %.1f s at %s fps"
                            .formatted(
                                    output,
                                    format.frames(),
                                    format.width(),
                                    format.height(),
                                    format.seconds(),
                                    format.fps()));
            if (witness != null) {
                vae.print(witness.result());
            }
        }
        return ExitCode.DONE;
    }

    /** Compares frames with those of a clip. */
    private static final class Witness implements FrameSink, AutoCloseable {
        private final ClipReader reader;
        private final ByteBuffer expected;
        private int frames;
        private double sum;
        private double lowest = Psnr.EQUAL;

        Witness(Path clip) {
            reader = ClipReader.open(clip);
            expected =
                    ByteBuffer.allocateDirect(reader.info().width() * reader.info().height() * 3);
        }

        @Override
        public void begin(ClipFormat format) {
            int width = reader.info().width();
            int height = reader.info().height();
            long available = reader.info().frames();
            if (width != format.width()
                    || height != format.height()
                    || available < format.frames()) {
                throw new IllegalArgumentException(
                        "--against is a clip of %d frames of %dx%d, expected %d or more of %dx%d"
                                .formatted(
                                        available,
                                        width,
                                        height,
                                        format.frames(),
                                        format.width(),
                                        format.height()));
            }
        }

        @Override
        public void accept(Frame frame) {
            reader.read(expected);
            double psnr = Psnr.of(expected, frame.rgb());
            sum += psnr;
            lowest = Math.min(lowest, psnr);
            frames++;
        }

        String result() {
            return "PSNR %.2f dB, the lowest of a frame %.2f dB".formatted(sum / frames, lowest);
        }

        @Override
        public void close() {
            reader.close();
        }
    }
}
