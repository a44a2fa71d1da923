package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_GLOBAL_HEADER;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_from_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_packet;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_frame;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_make_writable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;

/** One FFmpeg encoder whose packets go into one container file. */
final class VideoEncoder implements AutoCloseable {
    private final Muxer muxer;
    // Null pointers, not null references: FFmpeg may be told to free what was never allocated.
    private AVCodecContext codec = new AVCodecContext(null);
    private AVFrame frame = new AVFrame(null);
    private AVPacket packet = new AVPacket(null);

    /**
     * Opens the encoder and writes the container's header.
     *
     * @param path absolute, so that FFmpeg finds no protocol in it
     * @param configure sets size, pixel format and whatever else the encoder's context has
     * @throws IllegalArgumentException if the encoder refuses what is asked
     */
    VideoEncoder(
            Path path,
            String format,
            AVCodec encoder,
            FrameRate rate,
            Consumer<AVCodecContext> configure,
            Map<String, String> encoderOptions,
            Map<String, String> containerOptions)
            throws IOException {
        muxer = new Muxer(path, format, rate);
        try (AVRational perSecond = new AVRational()) {
            perSecond.num(rate.numerator()).den(rate.denominator());
            codec = allocated(avcodec_alloc_context3(encoder));
            codec.time_base(muxer.tick()).framerate(perSecond);
            configure.accept(codec);
            if (muxer.wantsGlobalHeader()) {
                codec.flags(codec.flags() | AV_CODEC_FLAG_GLOBAL_HEADER);
            }
            openCodec(encoder, encoderOptions, rate);
            muxer.begin(
                    parameters -> avcodec_parameters_from_context(parameters, codec),
                    containerOptions);
            allocateFrame();
            packet = allocated(av_packet_alloc());
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    private void openCodec(AVCodec encoder, Map<String, String> options, FrameRate rate) {
        String asked =
                "%dx%d pixels at %d/%d frames a second"
                        .formatted(
                                codec.width(),
                                codec.height(),
                                rate.numerator(),
                                rate.denominator());
        try {
            check(
                    FFmpeg.withOptions(options, rest -> avcodec_open2(codec, encoder, rest)),
                    "start the encoder");
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the encoder %s refuses %s: %s"
                            .formatted(encoder.name().getString(), asked, e.getMessage()),
                    e);
        }
    }

    private void allocateFrame() throws IOException {
        frame = allocated(av_frame_alloc());
        frame.format(codec.pix_fmt()).width(codec.width()).height(codec.height());
        frame.colorspace(codec.colorspace()).color_range(codec.color_range());
        frame.color_primaries(codec.color_primaries()).color_trc(codec.color_trc());
        frame.chroma_location(codec.chroma_sample_location());
        check(av_frame_get_buffer(frame, 0), "allocate a frame");
    }

    /** The picture to fill for the next {@link #encode}; valid until then. */
    AVFrame frame() throws IOException {
        // The encoder may still hold the last picture's buffers: then this gives new ones.
        check(av_frame_make_writable(frame), "allocate a frame");
        return frame;
    }

    /** Encodes what {@link #frame} holds as picture number {@code index}. */
    void encode(int index) throws IOException {
        frame.pts(index);
        check(avcodec_send_frame(codec, frame), "encode a frame");
        drain();
    }

    /** Encodes what is left, stores metadata and chapters and closes the file. */
    void finish(Map<String, String> metadata, List<Chapter> chapters) throws IOException {
        check(avcodec_send_frame(codec, null), "encode the last frame");
        drain();
        muxer.finish(metadata, chapters);
    }

    private void drain() throws IOException {
        int code;
        while ((code = avcodec_receive_packet(codec, packet)) >= 0) {
            muxer.write(packet);
        }
        if (code != FFmpeg.AGAIN && code != AVERROR_EOF) {
            check(code, "encode a frame");
        }
    }

    @Override
    public void close() {
        av_packet_free(packet);
        av_frame_free(frame);
        avcodec_free_context(codec);
        muxer.close();
    }
}
