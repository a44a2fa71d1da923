package io.sanavideo.media;

import static io.sanavideo.media.FFmpeg.allocated;
import static io.sanavideo.media.FFmpeg.check;
import static io.sanavideo.media.FFmpeg.utf8;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.AV_TIME_BASE;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_iterate;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVChapter;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVDictionaryEntry;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;

/** One container file that gives the packets of its video stream. */
final class Demuxer implements AutoCloseable {
    // A file must not make FFmpeg open other files or addresses, as playlists do.
    private static final String CONTAINERS = "mov,matroska,avi,gif";

    private final Path path;
    private final AVFormatContext container = new AVFormatContext(null);
    private final AVCodec decoder = new AVCodec(null);
    private AVPacket packet = new AVPacket(null);
    private AVStream stream;

    Demuxer(Path path) throws IOException {
        this.path = path;
        try {
            open();
            packet = allocated(av_packet_alloc());
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    private void open() throws IOException {
        AVDictionary options = new AVDictionary(null);
        try (BytePointer url = utf8(path.toAbsolutePath().toString())) {
            av_dict_set(options, "format_whitelist", CONTAINERS, 0);
            av_dict_set(options, "protocol_whitelist", "file", 0);
            check(avformat_open_input(container, url, null, options), "open it");
        } finally {
            av_dict_free(options);
        }
        check(avformat_find_stream_info(container, (AVDictionary) null), "find pictures in it");
        int index =
                check(
                        av_find_best_stream(container, AVMEDIA_TYPE_VIDEO, -1, -1, decoder, 0),
                        "find pictures in it");
        stream = container.streams(index);
    }

    /** The pictures' stream; another object after {@link #frames}. */
    AVStream stream() {
        return stream;
    }

    /** What decodes the pictures. */
    AVCodec decoder() {
        return decoder;
    }

    /** The container's names. */
    String format() {
        return container.iformat().name().getString();
    }

    /** Duration; 0 if the file does not say. */
    double seconds() {
        return Math.max(0, (double) container.duration() / AV_TIME_BASE);
    }

    /** Frames a second on average, as a fraction; 0/0 if the file does not say. */
    AVRational rate() {
        return stream.avg_frame_rate();
    }

    /** The number of packets: what the file says or, where it does not, by reading all of it. */
    long frames() throws IOException {
        if (stream.nb_frames() > 0) {
            return stream.nb_frames();
        }
        long frames = 0;
        while (read()) {
            frames++;
        }
        avformat_close_input(container);
        open();
        return frames;
    }

    /**
     * Reads the next packet of the pictures into {@link #packet}.
     *
     * @return whether there was one
     */
    boolean read() throws IOException {
        int code;
        do {
            av_packet_unref(packet);
            code = av_read_frame(container, packet);
        } while (code >= 0 && packet.stream_index() != stream.index());
        if (code != AVERROR_EOF) {
            check(code, "read a frame");
        }
        return code >= 0;
    }

    /** What was read last; valid until the next {@link #read}. */
    AVPacket packet() {
        return packet;
    }

    /** What was stored beside the pictures. */
    Map<String, String> metadata() {
        Map<String, String> metadata = entries(container.metadata());
        // FFmpeg knows the comment of a gif, which is where GifWriter puts everything.
        return format().equals("gif")
                ? MetadataJson.read(metadata.getOrDefault("comment", ""))
                : metadata;
    }

    /** Parts with a name, in frames; none where the file has no rate to count them by. */
    List<Chapter> chapters() {
        List<Chapter> chapters = new ArrayList<>();
        double fps = rate().den() == 0 ? 0 : (double) rate().num() / rate().den();
        for (int i = 0; i < container.nb_chapters(); i++) {
            AVChapter chapter = container.chapters(i);
            double frames = fps * chapter.time_base().num() / chapter.time_base().den();
            long first = Math.max(0, Math.round(chapter.start() * frames));
            long end = Math.round(chapter.end() * frames);
            if (end > first) {
                String title = entries(chapter.metadata()).getOrDefault("title", "");
                chapters.add(new Chapter(title, first, end));
            }
        }
        return chapters;
    }

    private static Map<String, String> entries(AVDictionary dictionary) {
        Map<String, String> entries = new LinkedHashMap<>();
        AVDictionaryEntry entry = null;
        while ((entry = av_dict_iterate(dictionary, entry)) != null) {
            entries.put(
                    entry.key().getString(StandardCharsets.UTF_8),
                    entry.value().getString(StandardCharsets.UTF_8));
        }
        return entries;
    }

    @Override
    public void close() {
        av_packet_free(packet);
        avformat_close_input(container);
    }
}
