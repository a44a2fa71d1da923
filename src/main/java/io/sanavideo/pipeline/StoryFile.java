package io.sanavideo.pipeline;

import io.sanavideo.Beat;
import io.sanavideo.Sampler;
import io.sanavideo.StartImage;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import io.sanavideo.weights.YamlMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A {@link Story} as a YAML file. All keys but {@code beats}, and of a beat {@code seconds} and
 * {@code prompt}, may be left out; images are found beside the file.
 *
 * <pre>
 * look: 35mm film, soft light
 * size: 832x480
 * seed: 7
 * beats:
 *   - seconds: 4
 *     prompt: a fox crosses a snowy field
 *   - seconds: 5
 *     prompt: an owl on a branch
 *     transition: dissolve
 *     dissolve: 0.75
 *     image: owl.png
 * </pre>
 */
public final class StoryFile {
    private static final List<String> KEYS =
            List.of(
                    "look",
                    "negative",
                    "motion",
                    "size",
                    "fps",
                    "steps",
                    "guidance",
                    "flow_shift",
                    "sampler",
                    "chunk",
                    "seed",
                    "instruction",
                    "beats");
    private static final String NONE = "none";
    private static final List<String> BEAT_KEYS =
            List.of("seconds", "prompt", "transition", "dissolve", "seed", "image");

    private StoryFile() {}

    /**
     * Reads a story.
     *
     * @param over sets what takes the place of what the file says
     * @throws io.sanavideo.ModelFormatException when the file or an image that it names cannot be
     *     read, naming line and column
     */
    public static Story read(Path file, Consumer<TextToVideo.Builder> over) {
        YamlMap map = YamlMap.read(file);
        map.requireOnly(KEYS);
        TextToVideo.Builder look = TextToVideo.prompt(map.text("look", ""));
        map.ifText("negative", look::negativePrompt);
        map.ifWhole("motion", value -> look.motionScore(Math.toIntExact(value)));
        map.ifText("size", value -> setSize(look, value));
        map.ifNumber("fps", look::fps);
        map.ifWhole("steps", value -> look.steps(Math.toIntExact(value)));
        map.ifNumber("guidance", look::guidance);
        map.ifNumber("flow_shift", look::flowShift);
        map.ifText("sampler", value -> look.sampler(Sampler.parse(value)));
        map.ifWhole("chunk", value -> look.chunk(Math.toIntExact(value)));
        map.ifWhole("seed", look::seed);
        map.ifText("instruction", value -> setInstruction(look, file, value));
        List<Beat> beats = new ArrayList<>();
        for (YamlMap beat : map.maps("beats")) {
            beats.add(beat(file, beat, beats.isEmpty()));
        }
        over.accept(look);
        Story[] story = new Story[1];
        map.checked("beats", () -> story[0] = new Story(look.build(), beats));
        return story[0];
    }

    private static void setInstruction(TextToVideo.Builder look, Path file, String value) {
        if (value.equals(NONE)) {
            look.instruction(TextToVideo.NO_INSTRUCTION);
        } else {
            look.instruction(file.resolveSibling(value));
        }
    }

    private static void setSize(TextToVideo.Builder look, String text) {
        FrameSize size = FrameSize.parse("size", text);
        look.size(size.width(), size.height());
    }

    private static Beat beat(Path file, YamlMap map, boolean first) {
        map.requireOnly(BEAT_KEYS);
        String prompt = map.requiredText("prompt");
        double seconds = map.requiredNumber("seconds");
        Beat[] beat = new Beat[1];
        map.checked("seconds", () -> beat[0] = Beat.of(seconds, prompt));
        map.ifText(
                "transition",
                value -> {
                    if (first) {
                        throw new IllegalArgumentException(
                                "transition is '%s', expected none: the first beat follows nothing"
                                        .formatted(value));
                    }
                    beat[0] = beat[0].with(Transition.parse(value));
                });
        map.ifNumber(
                "dissolve",
                value -> {
                    if (beat[0].transition() != Transition.DISSOLVE) {
                        throw new IllegalArgumentException(
                                "dissolve is %s, expected none: the transition is %s"
                                        .formatted(value, beat[0].transition().label()));
                    }
                    beat[0] = beat[0].dissolvingFor(value);
                });
        map.ifWhole("seed", value -> beat[0] = beat[0].withSeed(value));
        map.ifText(
                "image",
                value -> {
                    if (!first && beat[0].transition() == Transition.CARRY) {
                        throw new IllegalArgumentException(
                                "image is '%s', expected none: a beat that carries on begins with what was there; with cut or dissolve it may have one"
                                        .formatted(value));
                    }
                    StartImage image = StartImage.read(file.resolveSibling(value));
                    beat[0] = beat[0].beginningWith(image);
                });
        return beat[0];
    }
}
