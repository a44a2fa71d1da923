package io.sanavideo.media;

import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_CORRUPT;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_KEY;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_copy;
import static org.bytedeco.ffmpeg.global.avutil.av_rescale_q;

import io.sanavideo.DoesNotFitException;
import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVRational;

/**
 * Puts the segments of a clip one behind the other. Their packets are copied, not encoded anew: the
 * clip shows exactly the pictures of its segments, and the same segments always make the same file.
 */
public final class SegmentJoiner {
    private static final String EXTENSION = ".mp4";

    private final FrameRate rate;
    private final Muxer muxer;
    private Shape shape;
    private long frames;

    /**
     * What is equal in all segments of a clip.
     *
     * @param header what a decoder must know first
     */
    private record Shape(int codec, int width, int height, ByteBuffer header) {
        static Shape of(AVCodecParameters parameters) {
            byte[] header = new byte[parameters.extradata_size()];
            if (header.length > 0) {
                parameters.extradata().get(header);
            }
            return new Shape(
                    parameters.codec_id(),
                    parameters.width(),
                    parameters.height(),
                    ByteBuffer.wrap(header));
        }
    }

    private SegmentJoiner(Muxer muxer, FrameRate rate) {
        this.muxer = muxer;
        this.rate = rate;
    }

    /**
     * Makes sure that a film can be joined there, as far as can be known before its segments are.
     *
     * @throws IllegalArgumentException if the name does not end in .mp4 or the place cannot be
     *     written to
     */
    public static void requirePossible(Path target) {
        PartialOutput.file(target, EXTENSION).close();
    }

    /**
     * Makes one mp4 of segments; its index comes first. Like a {@link ClipWriter}'s it appears
     * under its name when it is whole, in place of a file that has it. One segment is open at a
     * time, so that there may be any number of them.
     *
     * @param segments in their order, made by {@link ClipWriter#openSegment} with equal arguments
     * @param target its name ends in .mp4
     * @param fps frames a second, that of the segments
     * @param metadata any keys with any text; that of the segments is left
     * @param chapters one after the other from frame 0 to the end, or none
     * @throws IllegalArgumentException if there is no segment, the target cannot be made, or the
     *     metadata or chapters cannot be stored
     * @throws ModelFormatException if a segment is missing, damaged, or not like the first one,
     *     naming it
     * @throws DoesNotFitException if the disk is full, naming the target
     * @throws UncheckedIOException if writing fails otherwise
     */
    public static void join(
            List<Path> segments,
            Path target,
            double fps,
            Map<String, String> metadata,
            List<Chapter> chapters) {
        if (segments.isEmpty()) {
            throw new IllegalArgumentException(
                    "no segment was given for %s, expected one or more".formatted(target));
        }
        AbstractClipWriter.requireStorable(metadata);
        FrameRate rate = FrameRate.of(fps);
        FFmpeg.preload();
        try (PartialOutput output = PartialOutput.file(target, EXTENSION)) {
            try (Muxer muxer = new Muxer(output.path(), "mp4", rate)) {
                SegmentJoiner joiner = new SegmentJoiner(muxer, rate);
                for (Path segment : segments) {
                    joiner.append(segment);
                }
                Chapter.requireCovering(chapters, joiner.frames);
                muxer.finish(metadata, chapters);
            } catch (IOException e) {
                throw output.failure(e);
            }
            output.commit();
        }
    }

    private void append(Path segment) throws IOException {
        try (Demuxer input = open(segment)) {
            requireLikeTheOthers(segment, input);
            if (frames == 0) {
                muxer.begin(
                        parameters ->
                                avcodec_parameters_copy(parameters, input.stream().codecpar()),
                        Muxer.MP4_OPTIONS);
            }
            long expected = input.stream().nb_frames();
            long count = 0;
            while (read(segment, input)) {
                AVPacket packet = input.packet();
                requireFrame(segment, packet, count, input.stream().time_base(), muxer.tick());
                packet.pts(frames).dts(frames).duration(1);
                muxer.write(packet);
                count++;
                frames++;
            }
            if (count == 0 || count != expected) {
                throw damaged(
                        segment, "it has %d frames and says %d".formatted(count, expected), null);
            }
        }
    }

    private static Demuxer open(Path segment) {
        if (!Files.isRegularFile(segment)) {
            throw new ModelFormatException(
                    "cannot read the segment %s: there is no such file".formatted(segment));
        }
        try {
            return new Demuxer(segment);
        } catch (IOException e) {
            throw damaged(segment, e.getMessage(), e);
        }
    }

    private static boolean read(Path segment, Demuxer input) {
        try {
            return input.read();
        } catch (IOException e) {
            throw damaged(segment, e.getMessage(), e);
        }
    }

    private void requireLikeTheOthers(Path segment, Demuxer input) {
        AVRational its = input.rate();
        if ((long) its.num() * rate.denominator() != (long) its.den() * rate.numerator()) {
            throw new ModelFormatException(
                    "the segment %s has %d/%d frames a second, expected %d/%d"
                            .formatted(
                                    segment,
                                    its.num(),
                                    its.den(),
                                    rate.numerator(),
                                    rate.denominator()));
        }
        Shape own = Shape.of(input.stream().codecpar());
        if (shape == null) {
            shape = own;
        }
        if (!own.equals(shape)) {
            throw new ModelFormatException(
                    "the segment %s is %dx%d pixels and encoded otherwise than the first one of %dx%d, expected segments written with equal size, rate and quality by the same encoder"
                            .formatted(
                                    segment,
                                    own.width(),
                                    own.height(),
                                    shape.width(),
                                    shape.height()));
        }
    }

    /** A frame is stored where it is shown, whole, and the first one refers to none. */
    private static void requireFrame(
            Path segment, AVPacket packet, long index, AVRational unit, AVRational tick) {
        if ((packet.flags() & AV_PKT_FLAG_CORRUPT) != 0) {
            throw damaged(segment, "frame %d is cut off".formatted(index), null);
        }
        boolean isInPlace =
                packet.dts() == packet.pts() && av_rescale_q(packet.pts(), unit, tick) == index;
        if (!isInPlace || index == 0 && (packet.flags() & AV_PKT_FLAG_KEY) == 0) {
            throw damaged(
                    segment,
                    "frame %d is not stored as a segment's, which begins with a key frame and has each frame where it is shown"
                            .formatted(index),
                    null);
        }
    }

    private static ModelFormatException damaged(Path segment, String how, IOException cause) {
        return new ModelFormatException(
                "the segment %s cannot be joined: %s; make it again".formatted(segment, how),
                cause);
    }
}
