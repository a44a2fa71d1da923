package io.sanavideo.text;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What the text encoder is fed for one prompt, and which rows of its output the transformer sees.
 *
 * <p>The reference pads the ids on the right and masks the padding. The encoder is causal, so valid
 * rows do not depend on padding: encode {@code ids} alone and take {@link #validSelection()} of its
 * rows. The selected rows beyond these are padding, which attention never looks at.
 *
 * @param ids token ids without padding
 * @param selection for each row of the transformer's text input its place in the padded sequence,
 *     rising; places from {@code ids.length} on are padding
 */
public record PromptTokens(int[] ids, int[] selection) {
    /** Number of text rows with padding, the length of the reference's mask. */
    public int rows() {
        return selection.length;
    }

    /** For each text row whether it is a token and not padding: ones, then zeros. */
    public boolean[] mask() {
        boolean[] mask = new boolean[selection.length];
        Arrays.fill(mask, 0, validSelection().length, true);
        return mask;
    }

    /** The part of {@link #selection()} that is no padding: indices into {@code ids}. */
    public int[] validSelection() {
        return IntStream.of(selection).takeWhile(place -> place < ids.length).toArray();
    }
}
