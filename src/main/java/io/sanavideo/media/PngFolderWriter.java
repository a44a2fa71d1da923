package io.sanavideo.media;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A folder of {@code frame-00000.png}, {@code frame-00001.png} and so on, with the metadata in
 * {@code recipe.json} and as the comment of the first image.
 */
final class PngFolderWriter extends AbstractClipWriter {
    static final String METADATA = "recipe.json";

    PngFolderWriter(PartialOutput output, int width, int height) {
        super(output, width, height);
    }

    @Override
    void append(int index, ByteBuffer rgb) throws IOException {
        Files.write(frame(index), PngImage.encode(rgb, width, height));
    }

    @Override
    void complete(Map<String, String> metadata, List<Chapter> chapters) throws IOException {
        String json = MetadataJson.write(metadata);
        Files.writeString(output.path().resolve(METADATA), json + "\n");
        try (RandomAccessFile first = new RandomAccessFile(frame(0).toFile(), "rw")) {
            first.seek(first.length() - PngImage.END_BYTES);
            first.write(PngImage.commentAndEnd(json));
        }
    }

    @Override
    void release() {}

    @Override
    public String codec() {
        return "png";
    }

    private Path frame(int index) {
        return output.path().resolve("frame-%05d.png".formatted(index));
    }
}
