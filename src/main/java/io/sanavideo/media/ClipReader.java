package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_DISPLAYMATRIX;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_side_data_get;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.av_color_primaries_name;
import static org.bytedeco.ffmpeg.global.avutil.av_color_range_name;
import static org.bytedeco.ffmpeg.global.avutil.av_color_space_name;
import static org.bytedeco.ffmpeg.global.avutil.av_color_transfer_name;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_get_pix_fmt_name;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacketSideData;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;

/**
 * Reads the frames of a video file in order, as packed RGB24 bytes {@code [height, width, 3]},
 * turned upright as the file says. Not for use by two threads at once.
 */
public final class ClipReader implements AutoCloseable {
    private static final int LARGEST_SIDE = 16384;

    private final Path path;
    private Demuxer file;
    // Null pointers, not null references: FFmpeg may be told to free what was never allocated.
    private AVCodecContext decoder = new AVCodecContext(null);
    private AVFrame frame = new AVFrame(null);
    private PixelConverter converter;
    private ClipInfo info;
    private Orientation orientation = Orientation.UPRIGHT;
    private ByteBuffer stored;
    private boolean closed;

    private ClipReader(Path path) {
        this.path = path;
    }

    /**
     * Opens a video file: mp4, mov, mkv, webm, avi or gif.
     *
     * @throws ModelFormatException if it cannot be read or is not such a file
     */
    public static ClipReader open(Path path) {
        FFmpeg.preload();
        if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
            throw new ModelFormatException(
                    "cannot read the video file %s: %s"
                            .formatted(
                                    path,
                                    Files.exists(path)
                                            ? "it is not a readable ordinary file"
                                            : "there is no such file"));
        }
        ClipReader reader = new ClipReader(path);
        try {
            reader.file = new Demuxer(path);
            reader.openDecoder();
            reader.info = reader.describe();
            return reader;
        } catch (IOException e) {
            reader.close();
            throw new ModelFormatException(
                    "%s is not a video file that can be read (%s); expected mp4, mov, mkv, webm, avi or gif"
                            .formatted(path, e.getMessage()),
                    e);
        } catch (RuntimeException | Error e) {
            reader.close();
            throw e;
        }
    }

    private void openDecoder() throws IOException {
        decoder = allocated(avcodec_alloc_context3(file.decoder()));
        AVCodecParameters parameters = file.stream().codecpar();
        check(avcodec_parameters_to_context(decoder, parameters), "describe its pictures");
        check(avcodec_open2(decoder, file.decoder(), (AVDictionary) null), "start its decoder");
        frame = allocated(av_frame_alloc());
        orientation = orientation();
    }

    private Orientation orientation() throws IOException {
        AVCodecParameters parameters = file.stream().codecpar();
        AVPacketSideData matrix =
                av_packet_side_data_get(
                        parameters.coded_side_data(),
                        parameters.nb_coded_side_data(),
                        AV_PKT_DATA_DISPLAYMATRIX);
        try {
            return Orientation.of(matrix == null ? null : matrix.data());
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private ClipInfo describe() throws IOException {
        long frames = file.frames();
        AVCodecParameters parameters = file.stream().codecpar();
        boolean sideways = orientation.isSideways();
        int width = sideways ? parameters.height() : parameters.width();
        int height = sideways ? parameters.width() : parameters.height();
        if (width < 1 || height < 1 || width > LARGEST_SIDE || height > LARGEST_SIDE) {
            throw new IOException(
                    "its pictures have %dx%d pixels; each side must be 1 to %d"
                            .formatted(width, height, LARGEST_SIDE));
        }
        AVRational rate = file.rate();
        double fps = rate.den() == 0 ? 0 : (double) rate.num() / rate.den();
        return new ClipInfo(
                file.format(),
                avcodec_get_name(parameters.codec_id()).getString(),
                width,
                height,
                fps,
                frames,
                file.seconds(),
                name(av_get_pix_fmt_name(parameters.format())),
                new ClipInfo.Colour(
                        name(av_color_primaries_name(parameters.color_primaries())),
                        name(av_color_transfer_name(parameters.color_trc())),
                        name(av_color_space_name(parameters.color_space())),
                        name(av_color_range_name(parameters.color_range()))),
                file.metadata(),
                file.chapters());
    }

    private static String name(BytePointer name) {
        return name == null ? "unknown" : name.getString();
    }

    /** The file. */
    public Path path() {
        return path;
    }

    /** What the file says of itself. */
    public ClipInfo info() {
        return info;
    }

    /**
     * Reads the next frame into a buffer, from its position, which stays where it is.
     *
     * @return whether there was one
     * @throws IllegalArgumentException if fewer than height * width * 3 bytes remain in the buffer
     * @throws ModelFormatException if the file is damaged
     */
    public boolean read(ByteBuffer rgb) {
        int bytes = info.width() * info.height() * 3;
        if (rgb.remaining() < bytes) {
            throw new IllegalArgumentException(
                    "a frame of %dx%d pixels needs %d bytes, but the buffer has room for %d"
                            .formatted(info.width(), info.height(), bytes, rgb.remaining()));
        }
        AVFrame picture = decode();
        if (picture == null) {
            return false;
        }
        int width = orientation.isSideways() ? info.height() : info.width();
        int height = orientation.isSideways() ? info.width() : info.height();
        try {
            if (picture.width() != width || picture.height() != height) {
                throw new IOException(
                        "a frame has %dx%d pixels, the first one %dx%d"
                                .formatted(picture.width(), picture.height(), width, height));
            }
            if (converter == null) {
                converter = new PixelConverter(width, height);
            }
            if (orientation.equals(Orientation.UPRIGHT)) {
                converter.toRgb(picture, rgb);
            } else {
                if (stored == null) {
                    stored = ByteBuffer.allocate(bytes);
                }
                converter.toRgb(picture, stored);
                turn(rgb);
            }
        } catch (IOException e) {
            throw damaged(e);
        }
        return true;
    }

    private void turn(ByteBuffer rgb) {
        int storedWidth = orientation.isSideways() ? info.height() : info.width();
        int storedHeight = orientation.isSideways() ? info.width() : info.height();
        int at = rgb.position();
        for (int y = 0; y < info.height(); y++) {
            for (int x = 0; x < info.width(); x++) {
                int from = orientation.stored(x, y, storedWidth, storedHeight) * 3;
                rgb.put(at++, stored.get(from));
                rgb.put(at++, stored.get(from + 1));
                rgb.put(at++, stored.get(from + 2));
            }
        }
    }

    /**
     * Passes the next frame over.
     *
     * @return whether there was one
     */
    boolean skip() {
        return decode() != null;
    }

    /** The unit of the times of what {@link #decode} gives. */
    AVRational tick() {
        return file.stream().time_base();
    }

    /** The next picture as it is stored, valid until the next call; null after the last. */
    AVFrame decode() {
        if (closed) {
            throw new IllegalStateException("the reader of " + path + " is closed");
        }
        try {
            int code;
            while ((code = avcodec_receive_frame(decoder, frame)) == FFmpeg.AGAIN) {
                feedDecoder();
            }
            if (code == AVERROR_EOF) {
                return null;
            }
            check(code, "decode a frame");
            return frame;
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    private void feedDecoder() throws IOException {
        if (file.read()) {
            check(avcodec_send_packet(decoder, file.packet()), "decode a frame");
        } else {
            check(avcodec_send_packet(decoder, null), "decode the last frame");
        }
    }

    private ModelFormatException damaged(IOException cause) {
        return new ModelFormatException(
                "the video file %s is damaged: %s".formatted(path, cause.getMessage()), cause);
    }

    /** Frees the decoder and closes the file. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (converter != null) {
            converter.close();
        }
        av_frame_free(frame);
        avcodec_free_context(decoder);
        if (file != null) {
            file.close();
        }
    }
}
