package io.sanavideo.media;

import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_QUIET;

import io.sanavideo.DoesNotFitException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.ffmpeg.global.swscale;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** The FFmpeg libraries: loading them, and their errors as exceptions. */
public final class FFmpeg {
    // Error codes of FFmpeg are negated numbers of the system; these are Linux's.
    static final int AGAIN = -11;
    static final int NO_MEMORY = -12;
    static final int FILE_TOO_LARGE = -27;
    static final int NO_SPACE = -28;
    static final int OVER_QUOTA = -122;

    private FFmpeg() {}

    /**
     * Loads the native libraries and makes them quiet. Everything in this package does so itself; a
     * program that wants its first clip soon calls this early on another thread (about 0.2 s, and
     * about 0.6 s the first time, when they are unpacked from the jar).
     */
    public static void preload() {
        Libraries.load();
    }

    /** The version of the FFmpeg libraries and the licence they were built under. */
    public static String version() {
        preload();
        return avutil.av_version_info().getString()
                + " ("
                + avutil.avutil_license().getString()
                + ")";
    }

    /**
     * Initialised once, by whoever comes first; others wait. Only what is needed: no filters, no
     * devices.
     */
    private static final class Libraries {
        static {
            avutil.av_log_set_level(AV_LOG_QUIET);
            avcodec.avcodec_version();
            avformat.avformat_version();
            swscale.swscale_version();
        }

        static void load() {}
    }

    /** Passes on a return code of FFmpeg that is not an error. */
    static int check(int code, String doing) throws IOException {
        if (code < 0) {
            throw new IOException("FFmpeg cannot " + doing + ": " + message(code));
        }
        return code;
    }

    /**
     * Calls FFmpeg with options, which it takes out of the dictionary: one that stays is an error.
     */
    static int withOptions(Map<String, String> options, ToIntFunction<AVDictionary> call) {
        AVDictionary dictionary = new AVDictionary(null);
        try {
            options.forEach((key, value) -> avutil.av_dict_set(dictionary, key, value, 0));
            int code = call.applyAsInt(dictionary);
            boolean isLeft = code >= 0 && avutil.av_dict_count(dictionary) > 0;
            return isLeft ? avutil.AVERROR_OPTION_NOT_FOUND : code;
        } finally {
            avutil.av_dict_free(dictionary);
        }
    }

    /** Passes on an object that FFmpeg has allocated. */
    static <P extends Pointer> P allocated(P pointer) {
        if (pointer == null || pointer.isNull()) {
            throw new DoesNotFitException("FFmpeg cannot allocate memory; free some and try again");
        }
        return pointer;
    }

    /** The words of FFmpeg, and for the system's codes those of the system, in its language. */
    static String message(int code) {
        byte[] text = new byte[256];
        avutil.av_strerror(code, text, text.length);
        int length = 0;
        while (text[length] != 0) {
            length++;
        }
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }

    /** Text as FFmpeg wants it, whatever the platform's charset; to be closed by the caller. */
    static BytePointer utf8(String text) {
        return new BytePointer(text, StandardCharsets.UTF_8);
    }
}
