package io.sanavideo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The prompts that the demo model was trained for, with seeds, and what clips of them show. */
public final class DemoPrompts {
    /** Of 18, by the demo model's README. */
    public static final int REFERENCE_COLOURS = 17;

    public static final int REFERENCE_MOTIONS = 18;
    public static final int REFERENCE_BOTH = 17;

    private static final Path FILE = Path.of("tests/golden/demo/prompts.json");

    private DemoPrompts() {}

    /**
     * @param colour that its clip should show
     * @param motion likewise
     */
    public record Prompt(String text, long seed, String colour, String motion) {
        public TextToVideo request() {
            return TextToVideo.prompt(text).seed(seed).build();
        }
    }

    /** A prompt, and what its clip shows. */
    public record Outcome(Prompt prompt, MovingShape shown) {
        public boolean colourIsRight() {
            return shown.colour().equals(prompt.colour);
        }

        public boolean motionIsRight() {
            return shown.motion().equals(prompt.motion);
        }

        public boolean bothAreRight() {
            return colourIsRight() && motionIsRight();
        }
    }

    /** All 18. */
    public static List<Prompt> all() throws IOException {
        List<Prompt> prompts = new ArrayList<>();
        for (JsonNode prompt : new ObjectMapper().readTree(FILE.toFile())) {
            prompts.add(
                    new Prompt(
                            prompt.get("prompt").textValue(),
                            prompt.get("seed").longValue(),
                            prompt.get("colour").textValue(),
                            prompt.get("motion").textValue()));
        }
        return prompts;
    }

    /** What a model makes of all of them. */
    public static List<Outcome> outcomes(SanaVideo sana) throws IOException {
        List<Outcome> outcomes = new ArrayList<>();
        for (Prompt prompt : all()) {
            CollectedFrames frames = new CollectedFrames();
            sana.generate(prompt.request(), frames);
            outcomes.add(new Outcome(prompt, MovingShape.in(frames.frames(), frames.format())));
        }
        return outcomes;
    }

    public static long count(List<Outcome> outcomes, Predicate<Outcome> isRight) {
        return outcomes.stream().filter(isRight).count();
    }
}
