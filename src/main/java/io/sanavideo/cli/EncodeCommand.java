package io.sanavideo.cli;

import io.sanavideo.LatentCodec;
import io.sanavideo.Latents;
import io.sanavideo.Model;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.pipeline.FrameSize;
import io.sanavideo.pipeline.LatentsFile;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video encode}: a video file to latents. */
@Command(
        name = "encode",
        description = "Encodes a video file to latents with a model's VAE.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class EncodeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "CLIP", description = "An mp4, mov, mkv, webm, avi or gif.")
    private Path clip;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "'latents' [1, C, T, H, W] of a safetensors file, normalised.")
    private Path output;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            description =
                    "Pixels: the middle is cut out and scaled (Lanczos; default: the clip's own size).")
    private String size;

    @Option(
            names = "--frames",
            paramLabel = "N",
            defaultValue = "0",
            description = "The first N frames (default: all).")
    private int frames;

    @Mixin private VaeOptions vae;

    @Override
    public Integer call() {
        try (Display display = vae.display();
                LatentCodec codec = vae.open(display, Model.WHOLE_FRAMES);
                Interrupt interrupt = Interrupt.calls(codec::cancel)) {
            FrameSize wanted = size == null ? sizeOf(clip) : FrameSize.parse("--size", size);
            Latents latents = codec.encode(clip, wanted.width(), wanted.height(), frames, display);
            LatentsFile.write(output, latents);
            display.close();
            vae.print(
                    "%s: %d latent frames of %dx%d with %d channels"
                            .formatted(
                                    output,
                                    latents.frames(),
                                    latents.width(),
                                    latents.height(),
                                    latents.channels()));
        }
        return ExitCode.DONE;
    }

    private static FrameSize sizeOf(Path clip) {
        ClipInfo info = ClipInfo.read(clip);
        return new FrameSize(info.width(), info.height());
    }
}
