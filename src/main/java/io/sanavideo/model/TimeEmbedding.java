package io.sanavideo.model;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.Arrays;

/**
 * What the timestep, and the guidance value where the network takes one, does to every block
 * (AdaLN-single): e = mlp(sinusoids(t)) + mlp(sinusoids(guidance)), m = linear(silu(e)).
 */
final class TimeEmbedding {
    private record Embedder(Weight first, Tensor firstBias, Weight second, Tensor secondBias) {
        static Embedder load(NamedWeights weights, String name) {
            return new Embedder(
                    weights.weight(WeightKind.LINEAR, name + ".linear_1.weight"),
                    weights.vector(name + ".linear_1.bias"),
                    weights.weight(WeightKind.LINEAR, name + ".linear_2.weight"),
                    weights.vector(name + ".linear_2.bias"));
        }
    }

    private final int width;
    private final DType compute;
    private final Embedder timestep;
    private final Embedder guidance;
    private final Weight linear;
    private final Tensor linearBias;

    TimeEmbedding(NamedWeights weights, TransformerConfig config) {
        width = config.width();
        compute = weights.compute();
        timestep = Embedder.load(weights, TransformerTensors.timestepEmbedder(config));
        guidance =
                config.guidanceEmbeds()
                        ? Embedder.load(weights, TransformerTensors.guidanceEmbedder())
                        : null;
        linear = weights.weight(WeightKind.LINEAR, "time_embed.linear.weight");
        linearBias = weights.vector("time_embed.linear.bias");
    }

    /**
     * The embedding of a number of timesteps, one for each group of tokens.
     *
     * @param guidanceValue the guidance that the network is told; 0 where it takes none
     */
    Values values(Context context, int groups, double guidanceValue) {
        return new Values(context, groups, guidanceValue);
    }

    /** Buffers of one number of groups. */
    final class Values implements AutoCloseable {
        private final Scope scope;
        private final Ops ops;
        private final double[] guidances;
        private final Tensor sinusoids;
        private final Tensor hidden;
        private final Tensor embedding;
        private final Tensor embeddingRows;
        private final Tensor modulation;
        private final Tensor modulationRows;
        private final Tensor blockModulation;
        private final Tensor finalModulation;

        private Values(Context context, int groups, double guidanceValue) {
            scope = new Scope(context);
            ops = context.ops();
            guidances = new double[groups];
            Arrays.fill(guidances, guidanceValue);
            try {
                sinusoids = scope.tensor(compute, groups, TransformerTensors.SINUSOIDS);
                hidden = scope.tensor(compute, groups, width);
                embedding = scope.tensor(compute, groups, width);
                embeddingRows = embedding.reshape(groups, 1, width);
                modulation = scope.tensor(compute, groups, 6L * width);
                modulationRows = modulation.reshape(groups, 6, width);
                blockModulation = scope.tensor(DType.F32, groups, 6, width);
                finalModulation = scope.tensor(DType.F32, groups, 2, width);
            } catch (Throwable e) {
                scope.close();
                throw e;
            }
        }

        int groups() {
            return guidances.length;
        }

        /** Computes everything that depends on the timesteps alone, one timestep a group. */
        void set(double[] timesteps) {
            embed(timesteps, timestep, null);
            if (guidance != null) {
                embed(guidances, guidance, embedding);
            }
            ops.activate(embedding, Activation.SILU, hidden);
            ops.linear(hidden, linear, Epilogue.bias(linearBias), modulation);
        }

        private void embed(double[] values, Embedder embedder, Tensor sum) {
            ops.timestepSinusoids(values, sinusoids);
            Epilogue first = Epilogue.bias(embedder.firstBias()).activation(Activation.SILU);
            ops.linear(sinusoids, embedder.first(), first, hidden);
            Epilogue second = Epilogue.bias(embedder.secondBias()).residual(sum);
            ops.linear(hidden, embedder.second(), second, embedding);
        }

        /**
         * Shift, scale and gate of attention, then of the feed-forward: f32 [groups, 6, width],
         * valid until the next call.
         */
        Tensor ofBlock(Tensor scaleShiftTable) {
            ops.modulation(scaleShiftTable, modulationRows, blockModulation);
            return blockModulation;
        }

        /** Shift and scale before the output projection: f32 [groups, 2, width]. */
        Tensor ofOutput(Tensor scaleShiftTable) {
            ops.modulation(scaleShiftTable, embeddingRows, finalModulation);
            return finalModulation;
        }

        @Override
        public void close() {
            scope.close();
        }
    }
}
