import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Progress;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/**
 * Draws every fourth frame of a clip beside each other into one picture: frames are taken as they
 * are decoded, and no video file is written. Arguments: the prompt and the picture's file.
 */
public final class App {
    private static final int EVERY = 4;

    /** A picture that grows by a frame at a time. */
    private static final class Strip implements FrameSink {
        private BufferedImage picture;

        @Override
        public void begin(ClipFormat format) {
            int frames = (format.frames() - 1) / EVERY + 1;
            picture =
                    new BufferedImage(
                            frames * format.width(), format.height(), BufferedImage.TYPE_INT_RGB);
        }

        @Override
        public void accept(Frame frame) {
            if (frame.index() % EVERY == 0) {
                Graphics2D graphics = picture.createGraphics();
                graphics.drawImage(frame.toImage(), frame.index() / EVERY * frame.width(), 0, null);
                graphics.dispose();
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        String prompt = arguments[0];
        Path file = Path.of(arguments[1]);
        Strip strip = new Strip();
        try (SanaVideo sana = SanaVideo.open(SanaVideo.demoModel(), Device.best())) {
            Generated clip =
                    sana.generate(TextToVideo.prompt(prompt).seed(7).build(), strip, App::show);
            ImageIO.write(strip.picture, "png", file.toFile());
            System.out.printf("%s: seed %d, frames %s%n", file, clip.seed(), clip.frameHash());
        }
    }

    private static void show(Progress progress) {
        System.err.println(progress);
    }
}
