package io.sanavideo;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How a story's beat follows the one before it. */
public enum Transition {
    /**
     * The world goes on under the new prompt. The prompt changes where a chunk ends, so that the
     * change may come up to half a chunk sooner or later than was asked for.
     */
    CARRY,
    /** A new shot: nothing of what was before is known to it. */
    CUT,
    /** A new shot, which fades in while the one before it goes on. */
    DISSOLVE;

    /** The name in a story's file. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads {@code carry}, {@code cut} or {@code dissolve}.
     *
     * @throws IllegalArgumentException for any other name
     */
    public static Transition parse(String text) {
        return Arrays.stream(values())
                .filter(transition -> transition.label().equals(text))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "transition is '%s', expected %s"
                                                .formatted(text, labels())));
    }

    private static String labels() {
        return Arrays.stream(values()).map(Transition::label).collect(Collectors.joining(", "));
    }
}
