package io.sanavideo.media;

import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_PAL8;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/**
 * An endless GIF. Every frame has its own palette of 256 colours ({@link GifPalette}); times are
 * rounded to the format's hundredths of a second without adding up. The metadata stands as JSON in
 * a comment extension before the end of the file.
 */
final class GifWriter extends AbstractClipWriter {
    /** Players show a delay below two hundredths of a second as ten. */
    private static final double HIGHEST_RATE = 50;

    private static final int BLOCK = 255;

    private final GifPalette palette;
    private VideoEncoder video;

    /**
     * The writer of an output whose temporary file exists; the output is closed if it cannot be.
     */
    GifWriter(PartialOutput output, int width, int height, FrameRate rate) {
        super(output, width, height);
        palette = new GifPalette(width, height);
        FFmpeg.preload();
        try {
            video =
                    new VideoEncoder(
                            output.path(),
                            "gif",
                            avcodec_find_encoder_by_name("gif"),
                            rate,
                            context -> context.width(width).height(height).pix_fmt(AV_PIX_FMT_PAL8),
                            Map.of(),
                            Map.of("loop", "0"));
        } catch (IOException e) {
            close();
            throw output.failure(e);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    static ClipWriter open(Path target, int width, int height, FrameRate rate) {
        if (rate.perSecond() > HIGHEST_RATE) {
            throw new IllegalArgumentException(
                    "cannot write %s at %s frames a second: a gif can show at most %.0f"
                            .formatted(target, rate.perSecond(), HIGHEST_RATE));
        }
        return new GifWriter(PartialOutput.file(target), width, height, rate);
    }

    @Override
    void append(int index, ByteBuffer rgb) throws IOException {
        AVFrame frame = video.frame();
        int stride = frame.linesize(0);
        ByteBuffer pixels = frame.data(0).capacity((long) stride * height).asByteBuffer();
        palette.fit(rgb);
        palette.map(rgb, pixels, stride);
        ByteBuffer colours = frame.data(1).capacity(4 * GifPalette.SIZE).asByteBuffer();
        colours.order(ByteOrder.nativeOrder()).asIntBuffer().put(palette.argb());
        video.encode(index);
    }

    @Override
    void complete(Map<String, String> metadata, List<Chapter> chapters) throws IOException {
        video.finish(Map.of(), List.of()); // the gif muxer has no place for metadata
        byte[] text = MetadataJson.write(metadata).getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file = new RandomAccessFile(output.path().toFile(), "rw")) {
            file.seek(
                    file.length()
                            - 1); // the trailer, one byte, is written again behind the comment
            file.write(new byte[] {0x21, (byte) 0xFE});
            for (int begin = 0; begin < text.length; begin += BLOCK) {
                int length = Math.min(BLOCK, text.length - begin);
                file.write(length);
                file.write(text, begin, length);
            }
            file.write(new byte[] {0, 0x3B});
        }
    }

    @Override
    void release() {
        if (video != null) {
            video.close();
        }
    }

    @Override
    public String codec() {
        return "gif";
    }
}
