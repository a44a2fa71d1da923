package io.sanavideo.media;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_CLOSED_GOP;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avutil.AVCHROMA_LOC_LEFT;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_PRI_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_MPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_TRC_BT709;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;

/**
 * H.264 in mp4: yuv420p by the BT.709 matrix in limited range, tagged as such, the index before the
 * pictures, a key frame at least every two seconds so that players can seek.
 */
final class Mp4Writer extends AbstractClipWriter {
    private static final List<String> ENCODERS = List.of("libx264", "libopenh264");

    private final AVCodec encoder;
    private PixelConverter converter;
    private VideoEncoder video;

    /** What the frames are for. */
    enum Use {
        CLIP,
        /** Part of a clip, whose packets are to be copied behind those of other parts. */
        SEGMENT
    }

    /**
     * The writer of an output whose temporary file exists; the output is closed if it cannot be.
     */
    Mp4Writer(
            PartialOutput output,
            int width,
            int height,
            FrameRate rate,
            Quality quality,
            AVCodec encoder,
            Use use) {
        super(output, width, height);
        this.encoder = encoder;
        try {
            video =
                    new VideoEncoder(
                            output.path(),
                            "mp4",
                            encoder,
                            rate,
                            context -> configure(context, width, height, rate, use),
                            options(encoder, quality),
                            Muxer.MP4_OPTIONS);
            converter = new PixelConverter(width, height);
        } catch (IOException e) {
            close();
            throw output.failure(e);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    static ClipWriter open(Path target, int width, int height, FrameRate rate, Quality quality) {
        return open(target, width, height, rate, quality, ENCODERS, Use.CLIP);
    }

    static ClipWriter openSegment(
            Path target, int width, int height, FrameRate rate, Quality quality) {
        return open(target, width, height, rate, quality, ENCODERS, Use.SEGMENT);
    }

    /** Opens with the first of these encoders that this FFmpeg has. */
    static ClipWriter open(
            Path target,
            int width,
            int height,
            FrameRate rate,
            Quality quality,
            List<String> encoders,
            Use use) {
        if (width % 2 != 0 || height % 2 != 0) {
            throw new IllegalArgumentException(
                    "cannot write %dx%d pixels to %s: mp4 stores colour at half the resolution, so both sides must be even; the nearest size is %dx%d"
                            .formatted(
                                    width,
                                    height,
                                    target,
                                    Math.max(2, width - width % 2),
                                    Math.max(2, height - height % 2)));
        }
        AVCodec encoder = find(encoders);
        return new Mp4Writer(
                PartialOutput.file(target, ".mp4"), width, height, rate, quality, encoder, use);
    }

    private static AVCodec find(List<String> encoders) {
        FFmpeg.preload();
        for (String name : encoders) {
            AVCodec encoder = avcodec_find_encoder_by_name(name);
            if (encoder != null) {
                return encoder;
            }
        }
        throw new IllegalArgumentException(
                "cannot write mp4: this FFmpeg (%s) has no H.264 encoder out of %s; write a .gif or a folder of PNG images instead"
                        .formatted(FFmpeg.version(), encoders));
    }

    private static Map<String, String> options(AVCodec encoder, Quality quality) {
        String quantiser = Integer.toString(quality.quantiser());
        return encoder.name().getString().equals("libx264")
                ? Map.of("crf", quantiser, "profile", "high")
                : Map.of("qmin", quantiser, "qmax", quantiser, "profile", "high");
    }

    private static void configure(
            AVCodecContext context, int width, int height, FrameRate rate, Use use) {
        context.width(width)
                .height(height)
                .pix_fmt(AV_PIX_FMT_YUV420P)
                .color_primaries(AVCOL_PRI_BT709)
                .color_trc(AVCOL_TRC_BT709)
                .colorspace(AVCOL_SPC_BT709)
                .color_range(AVCOL_RANGE_MPEG)
                .chroma_sample_location(AVCHROMA_LOC_LEFT)
                .gop_size((int) Math.max(1, Math.round(2 * rate.perSecond())));
        if (use == Use.SEGMENT) {
            // No frame refers to one behind it, so that none is stored before it is shown.
            context.max_b_frames(0).flags(context.flags() | AV_CODEC_FLAG_CLOSED_GOP);
        }
    }

    @Override
    void append(int index, ByteBuffer rgb) throws IOException {
        converter.toPicture(rgb, video.frame());
        video.encode(index);
    }

    @Override
    void complete(Map<String, String> metadata, List<Chapter> chapters) throws IOException {
        video.finish(metadata, chapters);
    }

    @Override
    void release() {
        if (video != null) {
            video.close();
        }
        if (converter != null) {
            converter.close();
        }
    }

    @Override
    public String codec() {
        return "h264 (" + encoder.name().getString() + ")";
    }
}
