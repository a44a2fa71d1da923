package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.ArrayList;
import java.util.List;

/** Weights of the layers that both sides of an LTX-2 VAE are made of. */
final class LtxVaeLayers {
    private LtxVaeLayers() {}

    /** A convolution over 3 frames, rows and columns. */
    record Convolution(Weight weight, Tensor bias) {
        static Convolution load(NamedWeights weights, String name) {
            return new Convolution(
                    weights.weight(WeightKind.CONVOLUTION, name + ".conv.weight"),
                    weights.vector(name + ".conv.bias"));
        }

        /** Its first output channels. */
        static Convolution load(NamedWeights weights, String name, long count) {
            return new Convolution(
                    weights.firstRows(WeightKind.CONVOLUTION, name + ".conv.weight", count),
                    weights.vector(name + ".conv.bias").slice(0, count));
        }

        /** Output channels. */
        long channels() {
            return bias.elements();
        }
    }

    /** A residual block; its norms have no weights. */
    record Residual(Convolution first, Convolution second) {
        static Residual load(NamedWeights weights, String name) {
            return new Residual(
                    Convolution.load(weights, name + ".conv1"),
                    Convolution.load(weights, name + ".conv2"));
        }

        static List<Residual> load(NamedWeights weights, String level, int count) {
            List<Residual> residuals = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                residuals.add(load(weights, LtxVaeTensors.residual(level, i)));
            }
            return residuals;
        }
    }

    /** A level's residual blocks, and the convolution of its step to the next size. */
    record Level(LtxVaeConfig.Level config, List<Residual> residuals, Convolution step) {}
}
