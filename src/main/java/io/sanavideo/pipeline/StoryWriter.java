package io.sanavideo.pipeline;

import io.sanavideo.Beat;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import io.sanavideo.media.ImageWriter;
import io.sanavideo.text.Instruction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/**
 * Writes a story's file, as {@link StoryFile} reads it, with what it needs beside it: images in
 * {@code images/}, each under its hash, and the instruction's text.
 */
final class StoryWriter {
    private static final String INSTRUCTION = "instruction.txt";

    private final Path file;

    StoryWriter(Path file) {
        this.file = file;
    }

    void write(Story story) {
        TextToVideo look = story.look();
        Map<String, Object> map = new LinkedHashMap<>();
        put(map, "look", look.prompt().isEmpty() ? null : look.prompt());
        put(map, "negative", look.negativePrompt());
        put(map, "motion", look.motionScore());
        put(map, "size", size(look));
        put(map, "fps", look.fps());
        put(map, "steps", look.steps());
        put(map, "guidance", look.guidance());
        put(map, "flow_shift", look.flowShift());
        put(map, "sampler", look.sampler() == null ? null : look.sampler().label());
        put(map, "chunk", look.chunk());
        put(map, "seed", look.seed());
        put(map, "instruction", instruction(look.instruction()));
        List<Map<String, Object>> beats = new ArrayList<>();
        for (Beat beat : story.beats()) {
            beats.add(map(beat, beats.isEmpty()));
        }
        map.put("beats", beats);
        DumpSettings settings = DumpSettings.builder().setDefaultFlowStyle(FlowStyle.BLOCK).build();
        TextFile.write(file, new Dump(settings).dumpToString(map));
    }

    private static void put(Map<String, Object> map, String key, Object value) {
        if (value != null) {
            map.put(key, value);
        }
    }

    private static String size(TextToVideo look) {
        if ((look.width() == null) != (look.height() == null)) {
            throw new IllegalArgumentException(
                    "width is %s and height is %s, expected both or neither in a project"
                            .formatted(look.width(), look.height()));
        }
        return look.width() == null ? null : look.width() + "x" + look.height();
    }

    private String instruction(Instruction asked) {
        if (asked == null || asked.equals(Instruction.NONE)) {
            return asked == null ? null : "none";
        }
        // Reading it takes one line end away.
        TextFile.write(file.resolveSibling(INSTRUCTION), asked.text() + "\n");
        return INSTRUCTION;
    }

    private Map<String, Object> map(Beat beat, boolean first) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("seconds", beat.seconds());
        map.put("prompt", beat.prompt());
        if (!first) {
            map.put("transition", beat.transition().label());
        }
        if (!first && beat.transition() == Transition.DISSOLVE) {
            map.put("dissolve", beat.dissolve());
        }
        put(map, "seed", beat.seed());
        if (beat.image() != null) {
            Path images = file.resolveSibling("images");
            String name = beat.image().sha256() + ".ppm";
            if (!Files.exists(images.resolve(name))) {
                makeFolder(images);
                ImageWriter.write(beat.image(), images.resolve(name));
            }
            map.put("image", images.getFileName() + "/" + name);
        }
        return map;
    }

    private static void makeFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be made: " + e, e);
        }
    }
}
