package io.sanavideo.media;

import java.awt.AWTError;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.font.FontRenderContext;
import java.awt.font.LineBreakMeasurer;
import java.awt.font.TextAttribute;
import java.awt.font.TextLayout;
import java.text.AttributedCharacterIterator;
import java.text.AttributedString;
import java.util.ArrayList;
import java.util.List;

/**
 * Text under a picture: a heading and words that are broken where a line is full.
 *
 * @param lines from above
 */
record Caption(List<TextLayout> lines) {
    private static final int SIZE = 13;
    private static final int MARGIN = 4;

    // Metrics that do not hang on a screen: antialiased, in fractions of pixels.
    private static final FontRenderContext METRICS = new FontRenderContext(null, true, true);

    /**
     * @param width of a line in pixels
     */
    static Caption of(String heading, String words, int width) {
        List<TextLayout> lines = new ArrayList<>();
        addLines(lines, heading, Font.BOLD, width);
        addLines(lines, words, Font.PLAIN, width);
        return new Caption(lines);
    }

    /**
     * @throws IllegalArgumentException if this Java cannot draw text
     */
    static void requireFonts() {
        try {
            of("1", "text", SIZE);
        } catch (RuntimeException | LinkageError | InternalError | AWTError e) {
            // What is thrown differs by Java's version, and the second time from the first.
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new IllegalArgumentException(
                    "cannot write a contact sheet: this Java has no fonts to write prompts with (%s); install fontconfig and a font, such as the packages fontconfig and fonts-dejavu-core"
                            .formatted(cause),
                    e);
        }
    }

    private static void addLines(List<TextLayout> lines, String text, int style, int width) {
        String words = text.strip().replaceAll("\\s+", " ");
        if (words.isEmpty()) {
            return;
        }
        AttributedString styled = new AttributedString(words);
        styled.addAttribute(TextAttribute.FONT, new Font(Font.SANS_SERIF, style, SIZE));
        AttributedCharacterIterator letters = styled.getIterator();
        LineBreakMeasurer measurer = new LineBreakMeasurer(letters, METRICS);
        while (measurer.getPosition() < letters.getEndIndex()) {
            lines.add(measurer.nextLayout(width));
        }
    }

    /** Pixels from the picture's lower edge. */
    int height() {
        float height = MARGIN;
        for (TextLayout line : lines) {
            height += line.getAscent() + line.getDescent() + line.getLeading();
        }
        return (int) Math.ceil(height);
    }

    void draw(Graphics2D graphics, int x, int y) {
        graphics.setColor(Color.BLACK);
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        float at = y + MARGIN;
        for (TextLayout line : lines) {
            at += line.getAscent();
            line.draw(graphics, x, at);
            at += line.getDescent() + line.getLeading();
        }
    }
}
