package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static io.sanavideo.media.FFmpeg.utf8;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_rescale_ts;
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
import static org.bytedeco.ffmpeg.global.avutil.AV_DICT_MULTIKEY;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_mallocz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVChapter;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** One container file that takes the packets of one video stream. */
final class Muxer implements AutoCloseable {
    /** For mp4: the index first, and (use_metadata_tags) keys that the muxer does not know. */
    static final Map<String, String> MP4_OPTIONS =
            Map.of("movflags", "faststart+use_metadata_tags");

    private final Path path;
    // Null pointers, not null references: FFmpeg may be told to free what was never allocated.
    private final AVFormatContext container = new AVFormatContext(null);
    private final AVIOContext file = new AVIOContext(null);
    private final AVRational tick = new AVRational();
    private AVStream stream;

    /** Fills the description of the pictures. */
    interface Description {
        int copyTo(AVCodecParameters parameters);
    }

    /**
     * Prepares the container; nothing is written yet.
     *
     * @param path absolute, so that FFmpeg finds no protocol in it
     */
    Muxer(Path path, String format, FrameRate rate) throws IOException {
        this.path = path;
        tick.num(rate.denominator()).den(rate.numerator());
        try (BytePointer url = utf8(path.toString());
                BytePointer name = utf8(format)) {
            check(
                    avformat_alloc_output_context2(container, null, name, url),
                    "prepare the " + format + " container");
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** Whether the container keeps what a decoder must know first, apart from the pictures. */
    boolean wantsGlobalHeader() {
        return (container.oformat().flags() & AVFMT_GLOBALHEADER) != 0;
    }

    /** The time between two frames, in seconds. */
    AVRational tick() {
        return tick;
    }

    /** Opens the file and writes the container's header. */
    void begin(Description pictures, Map<String, String> options) throws IOException {
        stream = allocated(avformat_new_stream(container, null));
        try (BytePointer url = utf8(path.toString());
                AVRational perSecond = new AVRational()) {
            perSecond.num(tick.den()).den(tick.num());
            stream.time_base(tick).avg_frame_rate(perSecond).r_frame_rate(perSecond);
            check(pictures.copyTo(stream.codecpar()), "describe the video stream");
            check(avio_open(file, url, AVIO_FLAG_WRITE), "open the file");
            container.pb(file);
            check(
                    FFmpeg.withOptions(options, rest -> avformat_write_header(container, rest)),
                    "write the header");
        }
    }

    /** Writes a packet, whose times are counted in frames, and takes its reference over. */
    void write(AVPacket packet) throws IOException {
        av_packet_rescale_ts(packet, tick, stream.time_base());
        packet.stream_index(stream.index());
        check(av_interleaved_write_frame(container, packet), "write a frame");
    }

    /**
     * Stores metadata and chapters, which the mp4 muxer writes with its index at the end, and
     * closes the file.
     */
    void finish(Map<String, String> metadata, List<Chapter> chapters) throws IOException {
        container.metadata(dictionary(metadata));
        store(chapters);
        check(av_write_trailer(container), "write the end of the file");
        container.pb(null);
        check(avio_closep(file), "close the file");
    }

    /** Chapters are FFmpeg's to free with the container, so they are allocated by it. */
    private void store(List<Chapter> chapters) throws IOException {
        if (chapters.isEmpty()) {
            return;
        }
        Pointer list = allocated(av_mallocz((long) chapters.size() * Long.BYTES));
        container.chapters(new PointerPointer<>(list));
        for (int i = 0; i < chapters.size(); i++) {
            Chapter chapter = chapters.get(i);
            AVChapter stored = new AVChapter(allocated(av_mallocz(chapterBytes())));
            container.chapters(i, stored).nb_chapters(i + 1);
            stored.id(i).start(chapter.firstFrame()).end(chapter.endFrame()).time_base(tick);
            stored.metadata(dictionary(Map.of("title", chapter.title())));
        }
    }

    private static long chapterBytes() {
        try (AVChapter chapter = new AVChapter()) {
            return chapter.sizeof();
        }
    }

    /** A dictionary that is to be given to the container. */
    private static AVDictionary dictionary(Map<String, String> entries) throws IOException {
        AVDictionary dictionary = new AVDictionary(null);
        for (Map.Entry<String, String> entry : entries.entrySet()) {
            try (BytePointer key = utf8(entry.getKey());
                    BytePointer value = utf8(entry.getValue())) {
                check(
                        av_dict_set(dictionary, key, value, AV_DICT_MULTIKEY),
                        "store the metadata " + entry.getKey());
            }
        }
        return dictionary;
    }

    @Override
    public void close() {
        if (!file.isNull()) {
            avio_closep(file); // the output is given up: what cannot be flushed is not missed
        }
        avformat_free_context(container);
        tick.close();
    }
}
