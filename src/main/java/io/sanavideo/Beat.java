package io.sanavideo;

import java.util.Objects;

/**
 * A part of a {@link Story}: what is to be seen for so long.
 *
 * @param seconds how long, above 0
 * @param prompt what to show; the story's look is added to it
 * @param transition how it follows the beat before it; of the first beat without meaning
 * @param dissolve seconds that a {@link Transition#DISSOLVE} takes, above 0
 * @param seed of its noise; the story's when null
 * @param image what it begins with, or null; not with {@link Transition#CARRY}, which goes on from
 *     what was there
 */
public record Beat(
        double seconds,
        String prompt,
        Transition transition,
        double dissolve,
        Long seed,
        StartImage image) {
    /** Seconds that a dissolve takes when nothing is said. */
    public static final double DISSOLVE_SECONDS = 0.5;

    public Beat {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(transition, "transition");
        requirePositive("seconds", seconds);
        requirePositive("dissolve", dissolve);
    }

    private static void requirePositive(String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(
                    "%s is %s, expected a number above 0".formatted(name, value));
        }
    }

    /** A beat in which the world of the one before goes on. */
    public static Beat of(double seconds, String prompt) {
        return new Beat(seconds, prompt, Transition.CARRY, DISSOLVE_SECONDS, null, null);
    }

    /** The same, following the beat before it in another way. */
    public Beat with(Transition newTransition) {
        return new Beat(seconds, prompt, newTransition, dissolve, seed, image);
    }

    /** The same, fading in for so many seconds. */
    public Beat dissolvingFor(double newDissolve) {
        return new Beat(seconds, prompt, Transition.DISSOLVE, newDissolve, seed, image);
    }

    public Beat withSeed(long newSeed) {
        return new Beat(seconds, prompt, transition, dissolve, newSeed, image);
    }

    public Beat beginningWith(StartImage newImage) {
        return new Beat(seconds, prompt, transition, dissolve, seed, newImage);
    }
}
