package io.sanavideo.inspect;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.media.Chapter;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.pipeline.FileSink;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A video file, and the recipe that made it where it holds one. */
record ClipInspection(Path file, long bytes, ClipInfo info) implements Inspection {
    static ClipInspection of(Path file) {
        ClipInfo info = ClipInfo.read(file);
        try {
            return new ClipInspection(file, Files.size(file), info);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": its size cannot be read: " + e, e);
        }
    }

    /** Null in a file that this project did not make. */
    private ObjectNode recipe() {
        String recipe = info.metadata().get(FileSink.RECIPE);
        return recipe == null ? null : Json.parse(file + ": recipe", recipe).node();
    }

    private Map<String, String> otherMetadata() {
        Map<String, String> others = new TreeMap<>(info.metadata());
        others.remove(FileSink.RECIPE);
        return others;
    }

    @Override
    public ObjectNode json() {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "clip").put("file", file.toString()).put("bytes", bytes);
        object.put("container", info.container())
                .put("codec", info.codec())
                .put("width", info.width())
                .put("height", info.height())
                .put("fps", info.fps())
                .put("frames", info.frames())
                .put("seconds", info.seconds())
                .put("pixel_format", info.pixelFormat());
        object.putObject("colour")
                .put("primaries", info.colour().primaries())
                .put("transfer", info.colour().transfer())
                .put("matrix", info.colour().matrix())
                .put("range", info.colour().range());
        ArrayNode chapters = object.putArray("chapters");
        for (Chapter chapter : info.chapters()) {
            chapters.addObject()
                    .put("title", chapter.title())
                    .put("first_frame", chapter.firstFrame())
                    .put("end_frame", chapter.endFrame());
        }
        ObjectNode metadata = object.putObject("metadata");
        otherMetadata().forEach(metadata::put);
        object.put(FileSink.FRAME_HASH, info.metadata().get(FileSink.FRAME_HASH));
        object.set("recipe", recipe());
        return object;
    }

    @Override
    public String text() {
        ClipInfo.Colour colour = info.colour();
        StringBuilder lines =
                new StringBuilder(
                        String.format(
                                Locale.ROOT,
                                "%s: %s, %dx%d, %d frames at %s fps, %.2f s, %,d bytes%n",
                                file,
                                info.codec(),
                                info.width(),
                                info.height(),
                                info.frames(),
                                info.fps(),
                                info.seconds(),
                                bytes));
        lines.append(
                "  pixels: %s, primaries %s, transfer %s, matrix %s, range %s%n"
                        .formatted(
                                info.pixelFormat(),
                                colour.primaries(),
                                colour.transfer(),
                                colour.matrix(),
                                colour.range()));
        for (Chapter chapter : info.chapters()) {
            lines.append(
                    "  chapter: frames %d to %d, %s%n"
                            .formatted(
                                    chapter.firstFrame(), chapter.endFrame() - 1, chapter.title()));
        }
        otherMetadata().forEach((key, value) -> lines.append("  %s: %s%n".formatted(key, value)));
        ObjectNode recipe = recipe();
        lines.append(
                recipe == null
                        ? "  no recipe%n".formatted()
                        : "  recipe: %s%n".formatted(recipe.toPrettyString()));
        return lines.toString();
    }
}
