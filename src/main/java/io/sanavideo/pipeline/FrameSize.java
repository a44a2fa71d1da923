package io.sanavideo.pipeline;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The size of a clip's frames, in pixels. */
public record FrameSize(int width, int height) {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

    /**
     * Reads {@code WIDTHxHEIGHT}.
     *
     * @param name of what is read, for the error's words
     * @throws IllegalArgumentException when it is not of that form
     */
    public static FrameSize parse(String name, String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    "%s is '%s', expected WIDTHxHEIGHT, such as 832x480".formatted(name, text));
        }
        return new FrameSize(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)));
    }

    @Override
    public String toString() {
        return width + "x" + height;
    }
}
