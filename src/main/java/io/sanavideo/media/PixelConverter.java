package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_SPC_RGB;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.swscale.SWS_ACCURATE_RND;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BICUBIC;
import static org.bytedeco.ffmpeg.global.swscale.SWS_FULL_CHR_H_INP;
import static org.bytedeco.ffmpeg.global.swscale.SWS_FULL_CHR_H_INT;
import static org.bytedeco.ffmpeg.global.swscale.sws_alloc_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_free_context;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale_frame;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.swscale.SwsContext;

/**
 * Packed RGB24 to FFmpeg's pictures and back; matrix and range are those the picture is tagged
 * with.
 */
final class PixelConverter implements AutoCloseable {
    private final int width;
    private final int height;
    private SwsContext scaler = new SwsContext(null);
    private AVFrame rgb = new AVFrame(null);

    PixelConverter(int width, int height) throws IOException {
        this.width = width;
        this.height = height;
        try {
            int exact = SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
            scaler = allocated(sws_alloc_context());
            scaler.flags(SWS_BICUBIC | exact);
            rgb = allocated(av_frame_alloc());
            rgb.format(AV_PIX_FMT_RGB24).width(width).height(height);
            rgb.colorspace(AVCOL_SPC_RGB).color_range(AVCOL_RANGE_JPEG);
            check(av_frame_get_buffer(rgb, 0), "allocate a frame");
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** Fills {@code picture}, which is tagged, from packed RGB. */
    void toPicture(ByteBuffer packed, AVFrame picture) throws IOException {
        int row = width * 3;
        ByteBuffer rows = rows();
        for (int y = 0; y < height; y++) {
            rows.put(y * rgb.linesize(0), packed, packed.position() + y * row, row);
        }
        matchPrimaries(picture);
        check(sws_scale_frame(scaler, picture, rgb), "convert a frame from RGB");
    }

    /** Fills {@code packed}, from its position, from a picture. */
    void toRgb(AVFrame picture, ByteBuffer packed) throws IOException {
        matchPrimaries(picture);
        check(sws_scale_frame(scaler, rgb, picture), "convert a frame to RGB");
        int row = width * 3;
        ByteBuffer rows = rows();
        for (int y = 0; y < height; y++) {
            packed.put(packed.position() + y * row, rows, y * rgb.linesize(0), row);
        }
    }

    /** RGB means the picture's own primaries and transfer: only matrix and range are converted. */
    private void matchPrimaries(AVFrame picture) {
        rgb.color_primaries(picture.color_primaries()).color_trc(picture.color_trc());
    }

    private ByteBuffer rows() {
        return rgb.data(0).capacity((long) rgb.linesize(0) * height).asByteBuffer();
    }

    @Override
    public void close() {
        sws_free_context(scaler);
        av_frame_free(rgb);
    }
}
