package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static io.sanavideo.media.FFmpeg.utf8;
import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_GLOBAL_HEADER;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_rescale_ts;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_from_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_packet;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_frame;
import static org.bytedeco.ffmpeg.global.avformat.AVFMT_GLOBALHEADER;
import static org.bytedeco.ffmpeg.global.avformat.AVIO_FLAG_WRITE;
import static org.bytedeco.ffmpeg.global.avformat.av_interleaved_write_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_write_trailer;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_output_context2;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_new_stream;
import static org.bytedeco.ffmpeg.global.avformat.avformat_write_header;
import static org.bytedeco.ffmpeg.global.avformat.avio_closep;
import static org.bytedeco.ffmpeg.global.avformat.avio_open;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_OPTION_NOT_FOUND;
import static org.bytedeco.ffmpeg.global.avutil.AV_DICT_MULTIKEY;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_count;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_make_writable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;

/** One FFmpeg encoder whose packets go into one container file. */
final class VideoEncoder implements AutoCloseable {
    // Null pointers, not null references: FFmpeg may be told to free what was never allocated.
    private final AVFormatContext container = new AVFormatContext(null);
    private final AVIOContext file = new AVIOContext(null);
    private final AVRational tick = new AVRational();
    private AVCodecContext codec = new AVCodecContext(null);
    private AVFrame frame = new AVFrame(null);
    private AVPacket packet = new AVPacket(null);
    private AVStream stream;

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
        tick.num(rate.denominator()).den(rate.numerator());
        try (BytePointer url = utf8(path.toString());
                BytePointer formatName = utf8(format);
                AVRational perSecond = new AVRational()) {
            perSecond.num(rate.numerator()).den(rate.denominator());
            codec = allocated(avcodec_alloc_context3(encoder));
            codec.time_base(tick).framerate(perSecond);
            configure.accept(codec);
            check(
                    avformat_alloc_output_context2(container, null, formatName, url),
                    "prepare the " + format + " container");
            if ((container.oformat().flags() & AVFMT_GLOBALHEADER) != 0) {
                codec.flags(codec.flags() | AV_CODEC_FLAG_GLOBAL_HEADER);
            }
            openCodec(encoder, encoderOptions);
            stream = allocated(avformat_new_stream(container, null));
            stream.time_base(tick).avg_frame_rate(perSecond).r_frame_rate(perSecond);
            check(
                    avcodec_parameters_from_context(stream.codecpar(), codec),
                    "describe the video stream");
            check(avio_open(file, url, AVIO_FLAG_WRITE), "open the file");
            container.pb(file);
            check(
                    withOptions(containerOptions, rest -> avformat_write_header(container, rest)),
                    "write the header");
            allocateFrame();
            packet = allocated(av_packet_alloc());
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    private void openCodec(AVCodec encoder, Map<String, String> options) {
        String asked =
                "%dx%d pixels at %d/%d frames a second"
                        .formatted(codec.width(), codec.height(), tick.den(), tick.num());
        try {
            check(
                    withOptions(options, rest -> avcodec_open2(codec, encoder, rest)),
                    "start the encoder");
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the encoder %s refuses %s: %s"
                            .formatted(encoder.name().getString(), asked, e.getMessage()),
                    e);
        }
    }

    /**
     * Calls FFmpeg with options, which it takes out of the dictionary: one that stays is an error.
     */
    private static int withOptions(Map<String, String> options, ToIntFunction<AVDictionary> call) {
        AVDictionary dictionary = new AVDictionary(null);
        try {
            options.forEach((key, value) -> av_dict_set(dictionary, key, value, 0));
            int code = call.applyAsInt(dictionary);
            return code >= 0 && av_dict_count(dictionary) > 0 ? AVERROR_OPTION_NOT_FOUND : code;
        } finally {
            av_dict_free(dictionary);
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

    /** Encodes what is left, stores the metadata and closes the file. */
    void finish(Map<String, String> metadata) throws IOException {
        check(avcodec_send_frame(codec, null), "encode the last frame");
        drain();
        // The container takes them over; the mp4 muxer writes its index, and these in it, at the
        // end.
        AVDictionary dictionary = new AVDictionary(null);
        try {
            for (Map.Entry<String, String> entry : metadata.entrySet()) {
                try (BytePointer key = utf8(entry.getKey());
                        BytePointer value = utf8(entry.getValue())) {
                    check(
                            av_dict_set(dictionary, key, value, AV_DICT_MULTIKEY),
                            "store the metadata " + entry.getKey());
                }
            }
        } finally {
            container.metadata(dictionary);
        }
        check(av_write_trailer(container), "write the end of the file");
        container.pb(null);
        check(avio_closep(file), "close the file");
    }

    private void drain() throws IOException {
        int code;
        while ((code = avcodec_receive_packet(codec, packet)) >= 0) {
            av_packet_rescale_ts(packet, tick, stream.time_base());
            packet.stream_index(stream.index());
            check(av_interleaved_write_frame(container, packet), "write a frame");
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
        if (!file.isNull()) {
            avio_closep(file); // the output is given up: what cannot be flushed is not missed
        }
        avformat_free_context(container);
        tick.close();
    }
}
