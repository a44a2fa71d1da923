package io.sanavideo.pipeline;

import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.text.Instruction;
import io.sanavideo.text.PromptTokens;
import io.sanavideo.text.Tokenizer;

/** Prompts to the embeddings that the transformer reads: the rows of tokens, without padding. */
public final class PromptEncoder {
    private final Tokenizer tokenizer;
    private final DType dtype;

    /**
     * @param dtype of the embeddings: what the transformer computes in
     */
    PromptEncoder(Tokenizer tokenizer, DType dtype) {
        this.tokenizer = tokenizer;
        this.dtype = dtype;
    }

    /** The prompt, its motion score and instruction included; the caller closes it. */
    Tensor prompt(Gemma2Encoder encoder, Settings settings) {
        return prompt(encoder, settings, settings.prompt());
    }

    /** Another prompt, as the settings have theirs; the caller closes it. */
    Tensor prompt(Gemma2Encoder encoder, Settings settings, String words) {
        String prompt = words;
        if (settings.motionScore() != null) {
            prompt = Instruction.withMotionScore(prompt, settings.motionScore());
        }
        return encode(
                encoder,
                settings.instruction().prompt(tokenizer, prompt, settings.maxTokens()),
                dtype);
    }

    /** The negative prompt, which gets no instruction; the caller closes it. */
    Tensor negative(Gemma2Encoder encoder, Settings settings) {
        return encode(
                encoder,
                Instruction.plain(tokenizer, settings.negativePrompt(), settings.maxTokens()),
                dtype);
    }

    /** The embeddings of tokens that count; the caller closes them. */
    public static Tensor encode(Gemma2Encoder encoder, PromptTokens tokens, DType dtype) {
        Context context = encoder.context();
        try (Range phase = context.range("encode");
                Tensor states = encoder.encode(tokens.ids())) {
            int[] places = tokens.validSelection();
            long width = states.size(1);
            Tensor rows = context.tensor(dtype, places.length, width);
            try (Tensor selected = context.tensor(states.dtype(), places.length, width)) {
                for (int i = 0; i < places.length; i++) {
                    selected.slice(i, 1).copyFrom(states.slice(places[i], 1));
                }
                context.ops().convert(selected, rows);
                return rows;
            } catch (Throwable e) {
                rows.close();
                throw e;
            }
        }
    }
}
