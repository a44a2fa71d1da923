package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.media.PictureColours;
import io.sanavideo.media.Psnr;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Clips that begin with an image, made by the demo model. */
class ImageToVideoTest {
    private static final Path GOLDEN = Path.of("tests/golden/demo");
    private static final int SIZE = 64;

    /** Of 12, by the demo model's README. */
    private static final int REFERENCE_MOTIONS = 12;

    /** What the picture may lose beside what the VAE loses of it, in dB. */
    private static final double LOSS = 1;

    private static SanaVideo sana;
    private static LatentCodec codec;

    @BeforeAll
    static void open() {
        sana = SanaVideo.open(SanaVideo.demoModel(), Device.cpu());
        codec = LatentCodec.open(Model.at(SanaVideo.demoModel(), Device.cpu()));
    }

    @AfterAll
    static void close() {
        sana.close();
        codec.close();
    }

    private static StartImage image(int index) {
        return StartImage.read(GOLDEN.resolve("start-images/%02d.png".formatted(index)));
    }

    private static List<byte[]> frames(VideoRequest request) {
        CollectedFrames frames = new CollectedFrames();
        sana.generate(request, frames);
        return frames.frames();
    }

    /** The picture's 8 bits as the clip's size has them. */
    private static byte[] pixels(StartImage image) {
        float[] colours = PictureColours.covering(image, SIZE, SIZE);
        byte[] bytes = new byte[colours.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Math.round((colours[i] + 1) * 127.5f);
        }
        return bytes;
    }

    private static double psnr(byte[] reference, byte[] other) {
        return Psnr.of(ByteBuffer.wrap(reference), ByteBuffer.wrap(other));
    }

    @Test
    void clipsKeepTheirPictureAndMoveAsTold() throws IOException {
        JsonNode prompts =
                new ObjectMapper().readTree(GOLDEN.resolve("image-prompts.json").toFile());
        assertThat(prompts).hasSize(12);
        int right = 0;
        for (int i = 0; i < prompts.size(); i++) {
            JsonNode prompt = prompts.get(i);
            StartImage image = image(i);
            TextToVideo text =
                    TextToVideo.prompt(prompt.get("prompt").textValue())
                            .seed(prompt.get("seed").longValue())
                            .sampler(Sampler.EULER)
                            .build();
            CollectedFrames frames = new CollectedFrames();
            sana.generate(new ImageToVideo(image, text), frames);
            double roundTrip = psnr(pixels(image), roundTrip(image));
            assertThat(psnr(pixels(image), frames.frames().get(0)))
                    .as("picture of %s", prompt)
                    .isGreaterThanOrEqualTo(roundTrip - LOSS);
            MovingShape shown = MovingShape.in(frames.frames(), frames.format());
            right += shown.motion().equals(prompt.get("motion").textValue()) ? 1 : 0;
        }
        assertThat(right).isGreaterThanOrEqualTo(REFERENCE_MOTIONS - 1);
    }

    /** What the VAE alone makes of a picture. */
    private static byte[] roundTrip(StartImage image) {
        CollectedFrames frames = new CollectedFrames();
        Latents latent = codec.encode(image, SIZE, SIZE, ProgressListener.NONE);
        codec.decode(latent, 0, frames, ProgressListener.NONE);
        return frames.frames().get(0);
    }

    @Test
    void anotherImageMakesAnotherClip() {
        TextToVideo text =
                TextToVideo.prompt("a red circle moving left on a black background")
                        .seed(3)
                        .steps(2)
                        .build();
        List<byte[]> fromText = frames(text);
        List<byte[]> fromFirst = frames(new ImageToVideo(image(0), text));
        List<byte[]> fromSecond = frames(new ImageToVideo(image(1), text));
        assertThat(psnr(fromText.get(0), fromFirst.get(0))).isLessThan(30);
        assertThat(psnr(fromFirst.get(0), fromSecond.get(0))).isLessThan(20);
        assertThat(frames(new ImageToVideo(image(0), text)).get(16)).isEqualTo(fromFirst.get(16));
    }

    @Test
    void oneFrameIsRefused() {
        TextToVideo text = TextToVideo.prompt("anything").frames(1).build();
        assertThatThrownBy(() -> sana.generate(new ImageToVideo(image(0), text)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the shortest has 5");
    }

    @Test
    void theRecipeNamesTheImage() throws IOException {
        TextToVideo text = TextToVideo.prompt("anything").frames(5).steps(1).seed(1).build();
        StartImage image = image(0);
        Generated generated = sana.generate(new ImageToVideo(image, text), FrameSink.NONE);
        JsonNode recipe = new ObjectMapper().readTree(generated.recipe()).get("image");
        assertThat(recipe.get("width").intValue()).isEqualTo(SIZE);
        assertThat(recipe.get("height").intValue()).isEqualTo(SIZE);
        assertThat(recipe.get("sha256").textValue())
                .hasSize(64)
                .isEqualTo(image.sha256())
                .isNotEqualTo(image(1).sha256());
        Generated plain = sana.generate(text, FrameSink.NONE);
        assertThat(new ObjectMapper().readTree(plain.recipe()).has("image")).isFalse();
    }

    @Test
    void thePlanCountsTheEncoder() {
        TextToVideo text = TextToVideo.prompt("anything").build();
        Plan plain = sana.plan(text);
        Plan fromImage = sana.plan(new ImageToVideo(image(0), text));
        assertThat(encoding(fromImage)).isGreaterThan(encoding(plain) + 1_000_000);
    }

    private static long encoding(Plan plan) {
        return plan.phases().stream()
                .filter(phase -> phase.phase() == Progress.Phase.ENCODE)
                .mapToLong(Plan.PhaseMemory::peak)
                .sum();
    }
}
