package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static io.sanavideo.media.FFmpeg.utf8;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avformat.av_find_input_format;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AV_FRAME_DATA_DISPLAYMATRIX;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_side_data;

import io.sanavideo.ModelFormatException;
import io.sanavideo.StartImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVFrameSideData;
import org.bytedeco.javacpp.BytePointer;

/** Reads one picture from an image file, or the last one of a video. */
public final class ImageReader {
    /** More are refused before they are decoded: a small file can promise any number. */
    static final long MOST_PIXELS = 100_000_000;

    private static final int COLOURS = 3;

    private ImageReader() {}

    /** See {@link StartImage#read}. */
    public static StartImage read(Path path) {
        FFmpeg.preload();
        ImageKind kind = ImageKind.of(path);
        try (Decoder decoder = new Decoder(path, kind)) {
            return upright(decoder);
        } catch (IOException | IllegalArgumentException e) {
            throw new ModelFormatException(
                    "the image %s cannot be read: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static StartImage upright(Decoder decoder) throws IOException {
        AVFrame picture = decoder.picture();
        AVFrameSideData matrix = av_frame_get_side_data(picture, AV_FRAME_DATA_DISPLAYMATRIX);
        Orientation orientation =
                Orientation.of(matrix == null ? null : new BytePointer(matrix.data()));
        short[] rgb = PictureColours.overWhite(picture);
        return turned(rgb, picture.width(), picture.height(), orientation);
    }

    private static StartImage turned(
            short[] rgb, int storedWidth, int storedHeight, Orientation orientation) {
        if (orientation.equals(Orientation.UPRIGHT)) {
            return new StartImage(storedWidth, storedHeight, rgb);
        }
        int width = orientation.isSideways() ? storedHeight : storedWidth;
        int height = orientation.isSideways() ? storedWidth : storedHeight;
        short[] turned = new short[rgb.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int from = orientation.stored(x, y, storedWidth, storedHeight) * COLOURS;
                System.arraycopy(rgb, from, turned, (y * width + x) * COLOURS, COLOURS);
            }
        }
        return new StartImage(width, height, turned);
    }

    /** See {@link StartImage#lastFrameOf}. */
    public static StartImage lastFrame(Path clip) {
        try (ClipReader reader = ClipReader.open(clip)) {
            int width = reader.info().width();
            int height = reader.info().height();
            ByteBuffer frame = ByteBuffer.allocate(width * height * COLOURS);
            boolean any = false;
            while (reader.read(frame)) {
                any = true;
            }
            if (!any) {
                throw new ModelFormatException(
                        "the video file %s holds no pictures".formatted(clip));
            }
            return StartImage.of8Bits(width, height, frame);
        }
    }

    /** FFmpeg at work on one image file. */
    private static final class Decoder implements AutoCloseable {
        private final AVFormatContext container = new AVFormatContext(null);
        private AVCodecContext codec = new AVCodecContext(null);
        private AVPacket packet = new AVPacket(null);
        private AVFrame frame = new AVFrame(null);

        Decoder(Path path, ImageKind kind) throws IOException {
            try {
                open(path, kind);
                AVCodec decoder = avcodec_find_decoder(container.streams(0).codecpar().codec_id());
                if (decoder == null || decoder.isNull()) {
                    throw new IOException("this FFmpeg has no decoder for " + kind);
                }
                codec = allocated(avcodec_alloc_context3(decoder));
                check(
                        avcodec_parameters_to_context(codec, container.streams(0).codecpar()),
                        "describe it");
                codec.max_pixels(MOST_PIXELS);
                check(avcodec_open2(codec, decoder, (AVDictionary) null), "start its decoder");
                packet = allocated(av_packet_alloc());
                frame = allocated(av_frame_alloc());
            } catch (Throwable e) {
                close();
                throw e;
            }
        }

        private void open(Path path, ImageKind kind) throws IOException {
            AVInputFormat format = av_find_input_format(kind.demuxer());
            if (format == null || format.isNull()) {
                throw new IOException("this FFmpeg cannot read " + kind);
            }
            AVDictionary options = new AVDictionary(null);
            try (BytePointer url = utf8("file:" + path.toAbsolutePath())) {
                av_dict_set(options, "protocol_whitelist", "file", 0);
                check(avformat_open_input(container, url, format, options), "open it");
            } finally {
                av_dict_free(options);
            }
            if (container.nb_streams() < 1) {
                throw new IOException("it holds no picture");
            }
            // Known from the header where the kind has animations; the packets may not tell.
            if (container.streams(0).nb_frames() > 1) {
                throw moreThanOne();
            }
        }

        private static IOException moreThanOne() {
            return new IOException("it holds more than one picture: take one of them");
        }

        /** The only picture, valid until this is closed. */
        AVFrame picture() throws IOException {
            check(av_read_frame(container, packet), "find a picture in it");
            check(avcodec_send_packet(codec, packet), "decode it");
            av_packet_unref(packet);
            if (av_read_frame(container, packet) >= 0) {
                throw moreThanOne();
            }
            check(avcodec_send_packet(codec, null), "decode it");
            check(avcodec_receive_frame(codec, frame), "decode it");
            if ((long) frame.width() * frame.height() > MOST_PIXELS) {
                throw new IOException(
                        "it has %dx%d pixels, expected at most %d in all: make it smaller"
                                .formatted(frame.width(), frame.height(), MOST_PIXELS));
            }
            return frame;
        }

        @Override
        public void close() {
            av_frame_free(frame);
            av_packet_free(packet);
            avcodec_free_context(codec);
            avformat_close_input(container);
        }
    }
}
