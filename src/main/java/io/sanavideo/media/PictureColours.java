package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_RGB;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB48;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGBA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGBA64;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;
import static org.bytedeco.ffmpeg.global.swscale.SWS_ACCURATE_RND;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BITEXACT;
import static org.bytedeco.ffmpeg.global.swscale.SWS_FULL_CHR_H_INP;
import static org.bytedeco.ffmpeg.global.swscale.SWS_FULL_CHR_H_INT;
import static org.bytedeco.ffmpeg.global.swscale.SWS_LANCZOS;
import static org.bytedeco.ffmpeg.global.swscale.sws_alloc_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_free_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale_frame;

import io.sanavideo.DoesNotFitException;
import io.sanavideo.StartImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.swscale.SwsContext;

/** The colours of one picture in 16 bits: of any format that FFmpeg decodes to, and of any size. */
public final class PictureColours {
    private static final int COLOURS = 3;
    private static final int HIGHEST = 0xFFFF;

    private PictureColours() {}

    /** [height, width, 3] of a decoded picture; what is transparent is laid over white. */
    static short[] overWhite(AVFrame picture) throws IOException {
        // To widen 8 bits the converter only moves them, and white would not be white.
        boolean isDeep = av_pix_fmt_desc_get(picture.format()).comp(0).depth() > Byte.SIZE;
        int format = isDeep ? AV_PIX_FMT_RGBA64 : AV_PIX_FMT_RGBA;
        AVFrame rgba = frame(format, picture.width(), picture.height());
        try {
            rgba.color_primaries(picture.color_primaries()).color_trc(picture.color_trc());
            convert(rgba, picture);
            short[] row = new short[picture.width() * (COLOURS + 1)];
            short[] rgb =
                    new short[Math.multiplyExact(picture.width() * COLOURS, picture.height())];
            int at = 0;
            for (int y = 0; y < picture.height(); y++) {
                if (isDeep) {
                    rows(rgba, picture.height()).get(y * (rgba.linesize(0) / Short.BYTES), row);
                } else {
                    widen(bytes(rgba, picture.height()), y * rgba.linesize(0), row);
                }
                for (int x = 0; x < row.length; x += COLOURS + 1) {
                    int alpha = row[x + COLOURS] & HIGHEST;
                    for (int i = 0; i < COLOURS; i++) {
                        rgb[at++] = laidOverWhite(row[x + i] & HIGHEST, alpha);
                    }
                }
            }
            return rgb;
        } finally {
            av_frame_free(rgba);
        }
    }

    private static void widen(ByteBuffer bytes, int first, short[] row) {
        for (int i = 0; i < row.length; i++) {
            row[i] = wide(bytes.get(first + i));
        }
    }

    /** 8 bits as 16: 255 becomes 65535. */
    public static short wide(int bits) {
        return (short) ((bits & 0xFF) * (HIGHEST / 0xFF));
    }

    private static short laidOverWhite(int colour, int alpha) {
        long sum = (long) colour * alpha + (long) HIGHEST * (HIGHEST - alpha);
        return (short) ((sum + HIGHEST / 2) / HIGHEST);
    }

    /**
     * The middle of an image at another size: the largest part of the size's shape, in whole
     * pixels, is cut out and scaled with a Lanczos filter.
     *
     * @return [height, width, 3] in -1 to 1
     * @throws DoesNotFitException when memory ends
     */
    public static float[] covering(StartImage image, int width, int height) {
        long shapedWidth = Math.round((double) image.height() * width / height);
        long shapedHeight = Math.round((double) image.width() * height / width);
        int cutWidth = (int) Math.max(1, Math.min(image.width(), shapedWidth));
        int cutHeight = (int) Math.max(1, Math.min(image.height(), shapedHeight));
        short[] scaled = scaled(image, cutWidth, cutHeight, width, height);
        float[] colours = new float[scaled.length];
        for (int i = 0; i < colours.length; i++) {
            colours[i] = 2f * (scaled[i] & HIGHEST) / HIGHEST - 1;
        }
        return colours;
    }

    private static short[] scaled(
            StartImage image, int cutWidth, int cutHeight, int width, int height) {
        if (image.width() == width && image.height() == height) {
            return image.rgb();
        }
        AVFrame from = new AVFrame(null);
        AVFrame to = new AVFrame(null);
        try {
            from = frame(AV_PIX_FMT_RGB48, cutWidth, cutHeight);
            to = frame(AV_PIX_FMT_RGB48, width, height);
            int left = (image.width() - cutWidth) / 2;
            int top = (image.height() - cutHeight) / 2;
            ShortBuffer rows = rows(from, cutHeight);
            for (int y = 0; y < cutHeight; y++) {
                int first = ((top + y) * image.width() + left) * COLOURS;
                int at = y * (from.linesize(0) / Short.BYTES);
                rows.put(at, image.rgb(), first, cutWidth * COLOURS);
            }
            convert(to, from);
            int length = width * COLOURS;
            short[] rgb = new short[Math.multiplyExact(length, height)];
            rows = rows(to, height);
            for (int y = 0; y < height; y++) {
                rows.get(y * (to.linesize(0) / Short.BYTES), rgb, y * length, length);
            }
            return rgb;
        } catch (IOException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } finally {
            av_frame_free(from);
            av_frame_free(to);
        }
    }

    private static AVFrame frame(int format, int width, int height) throws IOException {
        AVFrame frame = allocated(av_frame_alloc());
        frame.format(format).width(width).height(height);
        frame.colorspace(AVCOL_SPC_RGB).color_range(AVCOL_RANGE_JPEG);
        check(av_frame_get_buffer(frame, 0), "allocate a picture");
        return frame;
    }

    private static void convert(AVFrame to, AVFrame from) throws IOException {
        SwsContext scaler = allocated(sws_alloc_context());
        try {
            scaler.flags(
                    SWS_LANCZOS
                            | SWS_ACCURATE_RND
                            | SWS_BITEXACT
                            | SWS_FULL_CHR_H_INT
                            | SWS_FULL_CHR_H_INP);
            check(sws_scale_frame(scaler, to, from), "convert a picture");
        } finally {
            sws_free_context(scaler);
        }
    }

    private static ShortBuffer rows(AVFrame frame, int height) {
        return bytes(frame, height).order(ByteOrder.nativeOrder()).asShortBuffer();
    }

    private static ByteBuffer bytes(AVFrame frame, int height) {
        return frame.data(0).capacity((long) frame.linesize(0) * height).asByteBuffer();
    }
}
