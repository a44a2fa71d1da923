package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.Latents;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.pipeline.LatentsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code encode} and {@code decode}: clips to latents and back. */
class EncodeCommandTest {
    private static final Pattern RATIO = Pattern.compile("PSNR ([0-9.]+) dB");

    @TempDir private static Path shared;
    private static Path clip;

    @TempDir private Path folder;

    @BeforeAll
    static void makeClip() {
        clip = shared.resolve("clip.mp4");
        CommandRun run =
                CommandRun.of(
                        "generate",
                        "a red circle moving left on a black background",
                        "--seed",
                        "7",
                        "--quality",
                        "high",
                        "-o",
                        clip.toString());
        assertThat(run.code()).as(run.err()).isZero();
    }

    private Path latents() {
        return folder.resolve("latents.safetensors");
    }

    private CommandRun encode(String... more) {
        String[] all = new String[4 + more.length];
        all[0] = "encode";
        all[1] = clip.toString();
        all[2] = "-o";
        all[3] = latents().toString();
        System.arraycopy(more, 0, all, 4, more.length);
        return CommandRun.of(all);
    }

    @Test
    void roundTripComesBackToTheClip() {
        CommandRun encoded = encode();
        assertThat(encoded.code()).as(encoded.err()).isZero();
        assertThat(encoded.out()).contains("5 latent frames of 8x8 with 16 channels");
        Latents latents = LatentsFile.read(latents());
        assertThat(latents.frames()).isEqualTo(5);
        Path again = folder.resolve("again.mp4");
        CommandRun decoded =
                CommandRun.of(
                        "decode",
                        latents().toString(),
                        "-o",
                        again.toString(),
                        "--against",
                        clip.toString());
        assertThat(decoded.code()).as(decoded.err()).isZero();
        assertThat(decoded.out()).contains("17 frames of 64x64", "at 8.0 fps");
        Matcher ratio = RATIO.matcher(decoded.out());
        assertThat(ratio.find()).isTrue();
        assertThat(Double.parseDouble(ratio.group(1))).isGreaterThan(30);
        assertThat(ClipInfo.read(again).frames()).isEqualTo(17);
        assertThat(ClipInfo.read(again).metadata()).doesNotContainKey("recipe");
    }

    @Test
    void decodesInTiles() {
        assertThat(encode().code()).isZero();
        Path again = folder.resolve("again.mp4");
        CommandRun refused =
                CommandRun.of(
                        "decode", latents().toString(), "-o", again.toString(), "--tile", "20");
        assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).contains("a multiple of 8 from 32 on: the nearest is 32");
        CommandRun run =
                CommandRun.of(
                        "decode",
                        latents().toString(),
                        "-o",
                        again.toString(),
                        "--tile",
                        "48",
                        "--against",
                        clip.toString());
        assertThat(run.code()).as(run.err()).isZero();
        Matcher ratio = RATIO.matcher(run.out());
        assertThat(ratio.find()).isTrue();
        assertThat(Double.parseDouble(ratio.group(1))).isGreaterThan(30);
    }

    @Test
    void anotherSizeAndLength() {
        CommandRun run = encode("--size", "48x32", "--frames", "9");
        assertThat(run.code()).as(run.err()).isZero();
        Latents latents = LatentsFile.read(latents());
        assertThat(latents.frames()).isEqualTo(3);
        assertThat(latents.width()).isEqualTo(6);
        assertThat(latents.height()).isEqualTo(4);
    }

    @Test
    void theLastFrameGoesOn() {
        Path next = folder.resolve("next.gif");
        CommandRun run =
                CommandRun.of(
                        "generate",
                        "a red circle moving right on a black background",
                        "--video",
                        clip.toString(),
                        "--continue",
                        "--seed",
                        "1",
                        "--steps",
                        "2",
                        "-o",
                        next.toString());
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(ClipInfo.read(next).metadata().get("recipe")).contains("\"image\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--frames 16 | the nearest is 17",
                "--frames 21 | the clip has 17",
                "--size 60x64 | the nearest is 64x64",
                "--size 64 | expected WIDTHxHEIGHT",
            })
    void whatTheVaeCannotDoIsRefused(String options, String words) {
        CommandRun run = encode(options.split(" "));
        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(words);
        assertThat(latents()).doesNotExist();
    }

    @Test
    void badInputIsRefusedWithWords() throws IOException {
        Path words = Files.writeString(folder.resolve("words.mp4"), "no video");
        assertRefused("is not a video file", "encode", words.toString());
        // A header of 8x8 pixels, and the end.
        Path none = folder.resolve("none.gif");
        Files.write(none, new byte[] {'G', 'I', 'F', '8', '9', 'a', 8, 0, 8, 0, 0, 0, 0, ';'});
        assertRefused("none.gif", "encode", none.toString());
        assertRefused("none.gif", "generate", "x", "--continue", "--video", none.toString());
        assertRefused("none.gif", "generate", "x", "--image", none.toString());
        assertRefused("no such file", "encode", folder.resolve("none.mp4").toString());
        assertRefused("words.mp4", "decode", words.toString());
        assertRefused("of no kind that can be read", "generate", "x", "--image", words.toString());
        assertRefused(
                "is not a video file", "generate", "x", "--continue", "--video", words.toString());
    }

    private void assertRefused(String words, String... arguments) {
        String[] all = Arrays.copyOf(arguments, arguments.length + 2);
        all[arguments.length] = "-o";
        all[arguments.length + 1] = folder.resolve("out.mp4").toString();
        CommandRun run = CommandRun.of(all);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(run.err()).contains(words);
    }

    @Test
    void videoAndContinueBelongTogether() {
        String out = folder.resolve("out.mp4").toString();
        String video = clip.toString();
        assertThat(CommandRun.of("generate", "x", "--video", video, "-o", out).code())
                .isEqualTo(ExitCode.USAGE);
        assertThat(CommandRun.of("generate", "x", "--continue", "-o", out).code())
                .isEqualTo(ExitCode.USAGE);
        assertThat(
                        CommandRun.of(
                                        "generate",
                                        "x",
                                        "--image",
                                        video,
                                        "--video",
                                        video,
                                        "--continue",
                                        "-o",
                                        out)
                                .code())
                .isEqualTo(ExitCode.USAGE);
    }
}
