package io.sanavideo.pipeline;

import io.sanavideo.media.ClipReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The decoded frames of a video file. */
final class MovieFrames {
    private MovieFrames() {}

    static List<byte[]> of(Path file) {
        List<byte[]> frames = new ArrayList<>();
        try (ClipReader reader = ClipReader.open(file)) {
            int bytes = reader.info().width() * reader.info().height() * 3;
            ByteBuffer rgb = ByteBuffer.allocateDirect(bytes);
            while (reader.read(rgb)) {
                byte[] frame = new byte[bytes];
                rgb.duplicate().get(frame);
                frames.add(frame);
                rgb.clear();
            }
        }
        return frames;
    }
}
