package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The text encoder's: {@code input_ids}, {@code attention_mask}, {@code last_hidden_state}. */
final class Gemma2Check implements ComponentCheck {
    private static final String OUTPUT = "last_hidden_state";

    @Override
    public String component() {
        return "text encoder";
    }

    @Override
    public List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted) {
        try (GoldenTensors golden = GoldenTensors.open(folder);
                Gemma2Encoder encoder = Gemma2Encoder.load(context, folder, compute)) {
            int samples = golden.shape("input_ids", 2)[0];
            List<float[]> outputs = new ArrayList<>();
            List<float[]> references = new ArrayList<>();
            for (int i = 0; i < samples; i++) {
                float[] mask = golden.sample("attention_mask", i);
                float[] ids = GoldenTensors.keep(golden.sample("input_ids", i), mask);
                try (Tensor states = encoder.encode(toInts(ids))) {
                    outputs.add(states.toFloats());
                }
                references.add(GoldenTensors.keep(golden.sample(OUTPUT, i), mask));
            }
            return List.of(
                    Comparison.of(
                            OUTPUT,
                            GoldenTensors.concatenate(outputs),
                            GoldenTensors.concatenate(references)));
        }
    }

    private static int[] toInts(float[] ids) {
        int[] whole = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            whole[i] = (int) ids[i];
        }
        return whole;
    }
}
