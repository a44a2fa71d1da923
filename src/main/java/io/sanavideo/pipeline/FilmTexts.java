package io.sanavideo.pipeline;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The prompts of a film's beats as the text encoder leaves them; equal prompts are one object. */
final class FilmTexts implements AutoCloseable {
    private final Scope scope;
    private final List<Embeddings> beats = new ArrayList<>();

    /**
     * @param prompts of the beats; null where none is needed
     * @param encode makes the embeddings of a prompt
     * @param negative those of the negative prompt, which are closed with these; null where nothing
     *     is guided
     */
    FilmTexts(
            Context context,
            List<String> prompts,
            Function<String, Tensor> encode,
            Tensor negative) {
        scope = new Scope(context);
        try {
            if (negative != null) {
                scope.own(negative);
            }
            Map<String, Embeddings> known = new HashMap<>();
            for (String prompt : prompts) {
                beats.add(
                        prompt == null
                                ? null
                                : known.computeIfAbsent(
                                        prompt,
                                        text ->
                                                new Embeddings(
                                                        scope.own(encode.apply(text)), negative)));
            }
        } catch (Throwable e) {
            scope.close();
            throw e;
        }
    }

    /** Those of a beat. */
    Embeddings of(int beat) {
        return beats.get(beat);
    }

    @Override
    public void close() {
        scope.close();
    }
}
