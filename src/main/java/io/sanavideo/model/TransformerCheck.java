package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Predicate;

/**
 * The transformer's: {@code hidden_states}, {@code encoder_hidden_states} with their mask, {@code
 * timestep} and, where the network takes one, {@code guidance} to {@code output}.
 */
final class TransformerCheck implements ComponentCheck {
    private static final String INPUT = "hidden_states";
    private static final String OUTPUT = "output";
    private static final String TEXT = "encoder_hidden_states";
    private static final String MASK = "encoder_attention_mask";
    private static final String TIMESTEP = "timestep";
    private static final String GUIDANCE = "guidance";
    private static final String INTERMEDIATE = "mid.";
    private static final String CAPTION = INTERMEDIATE + "caption";
    private static final String PATCHES = INTERMEDIATE + "patch_embedding";

    @Override
    public String component() {
        return "transformer";
    }

    @Override
    public List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted) {
        try (GoldenTensors golden = GoldenTensors.open(folder);
                SanaTransformer transformer = SanaTransformer.load(context, folder, compute)) {
            Map<String, List<float[]>> outputs = new LinkedHashMap<>();
            outputs.put(OUTPUT, new ArrayList<>());
            if (intermediate) {
                golden.names().stream()
                        .filter(name -> name.startsWith(INTERMEDIATE))
                        .forEach(name -> outputs.put(name, new ArrayList<>()));
            }
            int samples = golden.shape(INPUT, 5)[0];
            for (int i = 0; i < samples; i++) {
                runSample(transformer, golden, i, outputs);
            }
            List<Comparison> comparisons = new ArrayList<>();
            outputs.forEach(
                    (name, values) -> {
                        if (!values.isEmpty()) {
                            comparisons.add(compare(golden, name, values));
                        }
                    });
            return comparisons;
        }
    }

    private static void runSample(
            SanaTransformer transformer,
            GoldenTensors golden,
            int sample,
            Map<String, List<float[]>> outputs) {
        Context context = transformer.context();
        TransformerConfig config = transformer.config();
        int[] shape = golden.shape(INPUT, 5);
        int textChannels = golden.shape(TEXT, 3)[2];
        float[] text = GoldenTensors.keep(golden.sample(TEXT, sample), golden.sample(MASK, sample));
        OptionalDouble guidance =
                golden.has(GUIDANCE)
                        ? OptionalDouble.of(golden.sample(GUIDANCE, sample)[0])
                        : OptionalDouble.empty();
        Observer observer =
                outputs.size() == 1
                        ? null
                        : (name, tensor) -> {
                            List<float[]> values = outputs.get(INTERMEDIATE + name);
                            if (values != null) {
                                values.add(inReferenceOrder(INTERMEDIATE + name, tensor));
                            }
                        };
        try (TransformerRun run =
                        new TransformerRun(transformer, shape[2], shape[3], shape[4], guidance);
                Tensor embeddings =
                        context.tensor(
                                transformer.compute(), text.length / textChannels, textChannels);
                Tensor latents = context.tensor(DType.F32, shape[2], shape[3], shape[4], shape[1]);
                Tensor velocity =
                        context.tensor(
                                DType.F32, shape[2], shape[3], shape[4], config.outChannels())) {
            embeddings.upload(text);
            latents.upload(ChannelsLast.of(golden.sample(INPUT, sample), shape[1]));
            try (TransformerText prompt = new TransformerText(transformer, embeddings, observer)) {
                double[] timesteps = timesteps(golden, sample);
                run.velocity(latents, timesteps, prompt, velocity, observer);
            }
            outputs.get(OUTPUT)
                    .add(ChannelsLast.toChannelsFirst(velocity.toFloats(), config.outChannels()));
        }
    }

    /**
     * One timestep, or one a token [1, frames, rows, columns]; those of a frame joined if equal.
     */
    private static double[] timesteps(GoldenTensors golden, int sample) {
        int[] shape = golden.shape(TIMESTEP, 1, 5);
        double[] tokens = doubles(golden.sample(TIMESTEP, sample));
        if (shape.length == 1) {
            return tokens;
        }
        int pixels = shape[3] * shape[4];
        double[] frames = new double[tokens.length / pixels];
        for (int i = 0; i < tokens.length; i++) {
            frames[i / pixels] = tokens[i / pixels * pixels];
            if (tokens[i] != frames[i / pixels]) {
                return tokens;
            }
        }
        return frames;
    }

    private static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        Arrays.setAll(wide, i -> values[i]);
        return wide;
    }

    private static float[] inReferenceOrder(String name, Tensor tensor) {
        float[] values = tensor.toFloats();
        return name.equals(PATCHES)
                ? ChannelsLast.toChannelsFirst(values, (int) tensor.size(1))
                : values;
    }

    private static Comparison compare(GoldenTensors golden, String name, List<float[]> samples) {
        float[] reference = golden.values(name);
        if (name.equals(CAPTION)) {
            // Padding is left out before the projection.
            reference = GoldenTensors.keep(reference, golden.values(MASK));
        }
        return Comparison.of(name, GoldenTensors.concatenate(samples), reference);
    }
}
