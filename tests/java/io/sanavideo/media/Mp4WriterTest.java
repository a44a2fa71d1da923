package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avutil.AV_PICTURE_TYPE_I;

import io.sanavideo.DoesNotFitException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class Mp4WriterTest {
    @TempDir Path folder;

    private Path write(MovingSquare clip, int frames, double fps, Quality quality) {
        return write(clip, frames, fps, quality, Map.of());
    }

    private Path write(
            MovingSquare clip,
            int frames,
            double fps,
            Quality quality,
            Map<String, String> metadata) {
        Path target = folder.resolve("clip.mp4");
        try (ClipWriter writer =
                ClipWriter.open(target, clip.width(), clip.height(), fps, quality)) {
            clip.writeAll(writer, frames);
            writer.finish(metadata);
        }
        return target;
    }

    @ParameterizedTest
    @CsvSource({
        "64, 64, 17, 8, 8",
        "320, 192, 33, 16, 16",
        "64, 64, 17, 23.976, 23.976023976",
        "64, 64, 17, 30, 30",
        "64, 64, 1, 12.5, 12.5"
    })
    void clipIsH264OfTheAskedShapeAndRate(
            int width, int height, int frames, double fps, double expected) {
        MovingSquare clip = MovingSquare.of(width, height);
        ClipInfo info = ClipInfo.read(write(clip, frames, fps, Quality.MEDIUM));
        assertThat(info.container()).contains("mp4");
        assertThat(info.codec()).isEqualTo("h264");
        assertThat(info.width()).isEqualTo(width);
        assertThat(info.height()).isEqualTo(height);
        assertThat(info.frames()).isEqualTo(frames);
        assertThat(info.fps()).isCloseTo(expected, within(1e-6));
        assertThat(info.seconds()).isCloseTo(frames / expected, within(2e-3));
        assertThat(info.pixelFormat()).isEqualTo("yuv420p");
        assertThat(info.colour()).isEqualTo(new ClipInfo.Colour("bt709", "bt709", "bt709", "tv"));
    }

    /** Bound: half a step of quantiser 28, the coarsest in use (a step of 16; H.264, 8.5.9). */
    @ParameterizedTest
    @EnumSource(Quality.class)
    void squareIsWhereItWasInItsColour(Quality quality) {
        MovingSquare clip = MovingSquare.of(320, 192);
        Path target = write(clip, 33, 16, quality);
        ByteBuffer rgb = ByteBuffer.allocateDirect(320 * 192 * 3);
        try (ClipReader reader = ClipReader.open(target)) {
            for (int i = 0; i < 33; i++) {
                assertThat(reader.read(rgb)).isTrue();
                assertThat(clip.largestError(i, rgb, 9)).as("frame %d", i).isLessThanOrEqualTo(8);
            }
            assertThat(reader.read(rgb)).isFalse();
        }
    }

    /** ITU-R BT.709-6, section 3: 8-bit Y, Cb, Cr of full red, green, blue and white. */
    @ParameterizedTest
    @CsvSource({
        "FF0000, 63, 102, 240",
        "00FF00, 173, 42, 26",
        "0000FF, 32, 240, 118",
        "FFFFFF, 235, 128, 128",
        "000000, 16, 128, 128"
    })
    void pixelsAreStoredByBt709InLimitedRange(String colour, int luma, int blue, int red) {
        int rgb = Integer.parseInt(colour, 16);
        Path target = write(new MovingSquare(64, 64, 16, rgb, rgb), 1, 16, Quality.HIGH);
        try (ClipReader reader = ClipReader.open(target)) {
            AVFrame picture = reader.decode();
            int[] expected = {luma, blue, red};
            for (int plane = 0; plane < 3; plane++) {
                int value = picture.data(plane).get(5L * picture.linesize(plane) + 5) & 0xFF;
                assertThat(value).as("plane %d", plane).isCloseTo(expected[plane], within(1));
            }
        }
    }

    @Test
    void indexComesBeforeThePictures() throws IOException {
        Path target = write(MovingSquare.of(64, 64), 17, 16, Quality.MEDIUM);
        List<String> boxes = new ArrayList<>();
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(target));
        while (file.hasRemaining()) {
            int start = file.position();
            int size = file.getInt();
            byte[] type = new byte[4];
            file.get(type);
            boxes.add(new String(type, StandardCharsets.US_ASCII));
            file.position(start + size);
        }
        assertThat(boxes).startsWith("ftyp").containsSubsequence("moov", "mdat");
    }

    @Test
    void keyFramesAreTwoSecondsApart() {
        Path target = write(MovingSquare.of(64, 64), 40, 8, Quality.MEDIUM);
        List<Integer> keys = new ArrayList<>();
        try (ClipReader reader = ClipReader.open(target)) {
            AVFrame picture;
            for (int i = 0; (picture = reader.decode()) != null; i++) {
                if (picture.pict_type() == AV_PICTURE_TYPE_I) {
                    keys.add(i);
                }
            }
        }
        assertThat(keys).containsExactly(0, 16, 32);
    }

    @Test
    void lowerQualityMakesSmallerFiles() throws IOException {
        Random random = new Random(5);
        byte[] noise = new byte[128 * 128 * 3];
        random.nextBytes(noise);
        List<Long> sizes = new ArrayList<>();
        for (Quality quality : Quality.values()) {
            Path target = folder.resolve(quality + ".mp4");
            try (ClipWriter writer = ClipWriter.open(target, 128, 128, 16, quality)) {
                for (int i = 0; i < 5; i++) {
                    writer.write(ByteBuffer.wrap(noise));
                }
                writer.finish(Map.of());
            }
            sizes.add(Files.size(target));
        }
        assertThat(sizes).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void metadataComesBackWhole() {
        StringBuilder recipe =
                new StringBuilder("{\"prompt\":\"ein Käfer 🐞 läuft, 走る\\n\",\"hashes\":[");
        while (recipe.length() < 10_000) {
            recipe.append('"').append(recipe.length()).append(" ü\",");
        }
        recipe.append("0]}");
        Map<String, String> metadata = new HashMap<>();
        metadata.put("recipe", recipe.toString());
        metadata.put("frame_hash", "a".repeat(64));
        metadata.put("title", "Käfer");
        metadata.put("comment", "made by a test");
        metadata.put("empty", "");
        Path target = write(MovingSquare.of(64, 64), 3, 16, Quality.MEDIUM, metadata);
        assertThat(ClipInfo.read(target).metadata()).containsAllEntriesOf(metadata);
    }

    @Test
    void equalFramesMakeEqualFiles() throws IOException {
        byte[] first = Files.readAllBytes(write(MovingSquare.of(64, 64), 17, 16, Quality.HIGH));
        byte[] second = Files.readAllBytes(write(MovingSquare.of(64, 64), 17, 16, Quality.HIGH));
        assertThat(first).isEqualTo(second);
    }

    @Test
    void heapBuffersAndOffsetsAreReadFromTheirPosition() {
        MovingSquare clip = MovingSquare.of(64, 64);
        Path target = folder.resolve("clip.mp4");
        ByteBuffer heap = ByteBuffer.allocate(7 + 64 * 64 * 3);
        heap.position(7).put(clip.frame(0)).position(7);
        try (ClipWriter writer = ClipWriter.open(target, 64, 64, 16, Quality.HIGH)) {
            writer.write(heap);
            assertThat(heap.position()).isEqualTo(7);
            writer.finish(Map.of());
        }
        ByteBuffer rgb = ByteBuffer.allocate(64 * 64 * 3);
        try (ClipReader reader = ClipReader.open(target)) {
            assertThat(reader.read(rgb)).isTrue();
        }
        assertThat(clip.largestError(0, rgb, 9)).isLessThanOrEqualTo(8);
    }

    @Test
    void codecIsTheEncoderInUse() {
        try (ClipWriter writer =
                ClipWriter.open(folder.resolve("clip.mp4"), 64, 64, 16, Quality.LOW)) {
            assertThat(writer.codec()).isIn("h264 (libx264)", "h264 (libopenh264)");
        }
    }

    @Test
    void missingEncoderIsRefusedInsteadOfReplaced() {
        FrameRate rate = FrameRate.of(16);
        Path target = folder.resolve("clip.mp4");
        assertThatThrownBy(
                        () ->
                                Mp4Writer.open(
                                        target,
                                        64,
                                        64,
                                        rate,
                                        Quality.LOW,
                                        List.of("no-such-264"),
                                        Mp4Writer.Use.CLIP))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("no H.264 encoder", "no-such-264", ".gif");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void sizeTheEncoderCannotDoIsRefused() {
        assertThatThrownBy(
                        () ->
                                ClipWriter.open(
                                        folder.resolve("clip.mp4"), 16384, 16384, 16, Quality.LOW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("264", "refuses 16384x16384");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void fullDiskIsSaidAndLeavesNothing() throws IOException {
        Path target = folder.resolve("clip.mp4");
        Path part = Files.createSymbolicLink(folder.resolve("part"), Path.of("/dev/full"));
        FFmpeg.preload();
        AVCodec encoder = avcodec_find_encoder_by_name("libopenh264");
        assertThatThrownBy(
                        () ->
                                new Mp4Writer(
                                        new PartialOutput(target, part),
                                        64,
                                        64,
                                        FrameRate.of(16),
                                        Quality.HIGH,
                                        encoder,
                                        Mp4Writer.Use.CLIP))
                .isInstanceOf(DoesNotFitException.class)
                .hasMessageContainingAll(target.toString(), "there is no room for it");
        assertThat(folder).isEmptyDirectory();
    }
}
