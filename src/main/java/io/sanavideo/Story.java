package io.sanavideo;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A request for a film of several beats, made chunk by chunk in memory that does not grow with it.
 *
 * <pre>{@code
 * Story story = Story.of(
 *         TextToVideo.prompt("35mm film, soft light").size(832, 480).seed(7).build(),
 *         Beat.of(4, "a fox crosses a snowy field"),
 *         Beat.of(3, "the fox stops and looks up"),
 *         Beat.of(5, "an owl on a branch").with(Transition.CUT));
 * sana.generateTo(story, Path.of("fox.mp4"));
 * }</pre>
 *
 * @param look holds for all beats: its prompt, which may be empty, is added to each of theirs;
 *     size, speed, sampler, seed and the rest are the film's. It says nothing of length, initial
 *     latents
 * @param beats in their order, one at least
 */
public record Story(TextToVideo look, List<Beat> beats) {
    public Story {
        Objects.requireNonNull(look, "look");
        beats = List.copyOf(beats);
        if (beats.isEmpty()) {
            throw new IllegalArgumentException("the story has no beats, expected one at least");
        }
        if (look.frames() != null || look.seconds() != null) {
            throw new IllegalArgumentException(
                    "the story's length was given, expected none: it is that of its beats");
        }
        if (look.initialLatents() != null) {
            throw new IllegalArgumentException(
                    "initial latents were given, expected none: a story draws its noise chunk by chunk");
        }
        for (int i = 0; i < beats.size(); i++) {
            Beat beat = beats.get(i);
            if (i > 0 && beat.image() != null && beat.transition() == Transition.CARRY) {
                throw new IllegalArgumentException(
                        "beat %d begins with an image and carries on, expected cut or dissolve: an image begins a new shot"
                                .formatted(i + 1));
            }
        }
    }

    public static Story of(TextToVideo look, Beat... beats) {
        return new Story(look, List.of(beats));
    }

    /** What the transformer is told in a beat. */
    public String prompt(int beat) {
        List<String> parts = new ArrayList<>(List.of(beats.get(beat).prompt().strip()));
        if (!look.prompt().isBlank()) {
            parts.add(look.prompt().strip());
        }
        return String.join(", ", parts);
    }

    /** The same from other noise, but for beats with a seed of their own. */
    public Story withSeed(long seed) {
        return new Story(look.withSeed(seed), beats);
    }

    /** Length in seconds. */
    public double seconds() {
        return beats.stream().mapToDouble(Beat::seconds).sum();
    }
}
