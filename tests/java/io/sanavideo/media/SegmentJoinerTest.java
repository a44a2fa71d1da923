package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_copy;
import static org.bytedeco.ffmpeg.global.avutil.AV_PICTURE_TYPE_I;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentJoinerTest {
    private static final int SIDE = 64;
    private static final MovingSquare CLIP = MovingSquare.of(SIDE, SIDE);

    @TempDir Path folder;

    /** A picture as it is stored, when it is shown and whether it can be the first one decoded. */
    private record Picture(List<Integer> luma, double seconds, boolean key) {}

    /** Segments of one clip, each by a writer of its own. */
    private List<Path> segments(double fps, int... lengths) {
        List<Path> segments = new ArrayList<>();
        int first = 0;
        for (int length : lengths) {
            segments.add(segment("s" + segments.size(), first, length, fps, Quality.HIGH));
            first += length;
        }
        return segments;
    }

    private Path segment(String name, int first, int frames, double fps, Quality quality) {
        Path path = folder.resolve(name + ".mp4");
        try (ClipWriter writer = ClipWriter.openSegment(path, SIDE, SIDE, fps, quality)) {
            for (int i = first; i < first + frames; i++) {
                writer.write(CLIP.frame(i));
            }
            writer.finish(Map.of("which", name));
        }
        return path;
    }

    private Path join(List<Path> segments, double fps) {
        Path target = folder.resolve("film.mp4");
        SegmentJoiner.join(segments, target, fps, Map.of(), List.of());
        return target;
    }

    private static List<Picture> pictures(Path path) {
        List<Picture> pictures = new ArrayList<>();
        try (ClipReader reader = ClipReader.open(path)) {
            AVFrame frame;
            while ((frame = reader.decode()) != null) {
                List<Integer> values = new ArrayList<>();
                for (int plane = 0; plane < 3; plane++) {
                    int side = plane == 0 ? SIDE : SIDE / 2;
                    for (int y = 0; y < side; y++) {
                        for (int x = 0; x < side; x++) {
                            long at = (long) y * frame.linesize(plane) + x;
                            values.add((int) frame.data(plane).get(at));
                        }
                    }
                }
                AVRational unit = reader.tick();
                double seconds = (double) frame.pts() * unit.num() / unit.den();
                boolean key = frame.pict_type() == AV_PICTURE_TYPE_I;
                pictures.add(new Picture(values, seconds, key));
            }
        }
        return pictures;
    }

    @ParameterizedTest
    @ValueSource(doubles = {8, 12.5, 23.976, 240})
    void everyPictureIsThatOfItsSegmentInItsPlace(double fps) {
        int[] lengths = {1, 5, 1, 1, 8, 40, 1, 3};
        List<Path> segments = segments(fps, lengths);
        List<Picture> expected = new ArrayList<>();
        List<Integer> starts = new ArrayList<>();
        for (Path segment : segments) {
            starts.add(expected.size());
            expected.addAll(pictures(segment));
        }
        List<Picture> joined = pictures(join(segments, fps));
        assertThat(joined).hasSize(60);
        double rate = fps == 23.976 ? 24000 / 1001.0 : fps;
        for (int i = 0; i < joined.size(); i++) {
            assertThat(joined.get(i).luma()).as("frame %d", i).isEqualTo(expected.get(i).luma());
            assertThat(joined.get(i).key()).as("frame %d", i).isEqualTo(expected.get(i).key());
            assertThat(joined.get(i).seconds()).as("frame %d", i).isCloseTo(i / rate, within(1e-9));
        }
        assertThat(starts).allMatch(start -> joined.get(start).key());
        ClipInfo info = ClipInfo.read(folder.resolve("film.mp4"));
        assertThat(info.frames()).isEqualTo(60);
        assertThat(info.fps()).isEqualTo(rate);
        assertThat(info.colour()).isEqualTo(new ClipInfo.Colour("bt709", "bt709", "bt709", "tv"));
    }

    @Test
    void aSegmentHasThePicturesOfAClip() {
        Path clip = folder.resolve("clip.mp4");
        try (ClipWriter writer = ClipWriter.open(clip, SIDE, SIDE, 8, Quality.HIGH)) {
            CLIP.writeAll(writer, 5);
            writer.finish(Map.of());
        }
        assertThat(pictures(segments(8, 5).get(0))).isEqualTo(pictures(clip));
    }

    @Test
    void metadataAndChaptersAreTheFilms() {
        Map<String, String> metadata = new HashMap<>();
        metadata.put("recipe", "{\"prompt\":\"ein Käfer 🐞\"}");
        metadata.put("frames_sha256", "a".repeat(64));
        List<Chapter> chapters =
                List.of(new Chapter("ein Käfer 🐞", 0, 6), new Chapter("x".repeat(900), 6, 14));
        Path target = folder.resolve("film.mp4");
        SegmentJoiner.join(segments(8, 1, 5, 8), target, 8, metadata, chapters);
        ClipInfo info = ClipInfo.read(target);
        assertThat(info.metadata()).containsAllEntriesOf(metadata).doesNotContainKey("which");
        assertThat(info.chapters()).isEqualTo(chapters);
    }

    @Test
    void equalSegmentsMakeEqualFilms() throws IOException {
        byte[] first = Files.readAllBytes(join(segments(8, 1, 5, 8), 8));
        byte[] second = Files.readAllBytes(join(segments(8, 1, 5, 8), 8));
        assertThat(first).isEqualTo(second);
    }

    @Test
    void segmentOfAnotherSizeOrRateIsNamed() {
        List<Path> segments = new ArrayList<>(segments(8, 1, 5));
        Path wide = folder.resolve("wide.mp4");
        try (ClipWriter writer = ClipWriter.openSegment(wide, 128, SIDE, 8, Quality.HIGH)) {
            MovingSquare.of(128, SIDE).writeAll(writer, 2);
            writer.finish(Map.of());
        }
        assertRefused(List.of(segments.get(0), wide), wide, "128x64", "64x64");
        Path slow = segment("slow", 0, 3, 4, Quality.HIGH);
        assertRefused(List.of(segments.get(0), slow), slow, "4/1 frames", "expected 8/1");
    }

    @Test
    void damagedSegmentIsNamed() throws IOException {
        List<Path> segments = segments(8, 5, 5);
        Path broken = segments.get(1);
        byte[] bytes = Files.readAllBytes(broken);
        for (int length : new int[] {bytes.length - 1, bytes.length - 200, 100, 0}) {
            Files.write(broken, Arrays.copyOf(bytes, length));
            assertRefused(segments, broken, "cannot be joined", "make it again");
        }
        Files.delete(broken);
        assertRefused(segments, broken, "no such file");
    }

    /** A file cut where a frame ends has nothing that could not be read. */
    @Test
    void segmentWithoutItsLastFrameIsNamed() throws IOException {
        List<Path> segments = segments(8, 5, 5);
        int last = 0;
        try (Demuxer demuxer = new Demuxer(segments.get(1))) {
            while (demuxer.read()) {
                last = demuxer.packet().size();
            }
        }
        byte[] bytes = Files.readAllBytes(segments.get(1));
        Files.write(segments.get(1), Arrays.copyOf(bytes, bytes.length - last));
        assertRefused(segments, segments.get(1), "4 frames and says 5");
    }

    @Test
    void framesOutOfTheirPlaceAreRefused() throws IOException {
        List<Path> segments = segments(8, 5, 5);
        Path first = segments.get(0);
        Path beheaded = copied(segments.get(1), 1, 1, i -> i - 1);
        assertRefused(List.of(first, beheaded), beheaded, "frame 0", "begins with a key frame");
        // As an encoder does that shows the second of three frames last.
        long[] shown = {0, 2, 1, 3, 4};
        Path turned = copied(segments.get(1), 0, 1, i -> shown[(int) i]);
        assertRefused(List.of(first, turned), turned, "frame 0", "where it is shown");
    }

    /**
     * A segment's frames from one on, each shown at the time that is told for its number, and
     * stored so many frames sooner than its number.
     */
    private Path copied(Path segment, int from, int sooner, LongUnaryOperator time)
            throws IOException {
        Path copy = folder.resolve("copy-%d.mp4".formatted(from));
        try (Demuxer input = new Demuxer(segment);
                Muxer muxer = new Muxer(copy, "mp4", FrameRate.of(8))) {
            muxer.begin(to -> avcodec_parameters_copy(to, input.stream().codecpar()), Map.of());
            for (int i = 0; input.read(); i++) {
                if (i >= from) {
                    input.packet().pts(time.applyAsLong(i)).dts(i - sooner).duration(1);
                    muxer.write(input.packet());
                }
            }
            muxer.finish(Map.of(), List.of());
        }
        return copy;
    }

    @Test
    void anotherFormIsRefused() {
        Path gif = folder.resolve("other.gif");
        try (ClipWriter writer = ClipWriter.open(gif, SIDE, SIDE, 8, Quality.HIGH)) {
            CLIP.writeAll(writer, 5);
            writer.finish(Map.of());
        }
        assertRefused(List.of(segments(8, 5).get(0), gif), gif, "other.gif");
    }

    @Test
    void chaptersThatDoNotCoverTheFilmAreRefused() {
        List<Path> segments = segments(8, 1, 5);
        for (List<Chapter> chapters :
                List.of(
                        List.of(new Chapter("a", 1, 6)),
                        List.of(new Chapter("a", 0, 5)),
                        List.of(new Chapter("a", 0, 2), new Chapter("b", 3, 6)))) {
            Path target = folder.resolve("film.mp4");
            assertThatThrownBy(() -> SegmentJoiner.join(segments, target, 8, Map.of(), chapters))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("chapter");
            assertThat(target).doesNotExist();
        }
    }

    @Test
    void namesThatAreNoMp4AreRefused() {
        assertThatThrownBy(
                        () ->
                                ClipWriter.openSegment(
                                        folder.resolve("s.gif"), SIDE, SIDE, 8, Quality.LOW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("s.gif", ".mp4");
        Path target = folder.resolve("film.gif");
        List<Path> segments = segments(8, 1);
        assertThatThrownBy(() -> SegmentJoiner.join(segments, target, 8, Map.of(), List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("film.gif", ".mp4");
        assertThatThrownBy(() -> join(List.of(), 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no segment");
    }

    private void assertRefused(List<Path> segments, Path culprit, String... words) {
        assertThatThrownBy(() -> join(segments, 8))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(culprit.toString())
                .hasMessageContainingAll(words);
        assertThat(folder.resolve("film.mp4")).doesNotExist();
        assertThat(folder.toFile().list((at, name) -> name.endsWith(".part"))).isEmpty();
    }
}
