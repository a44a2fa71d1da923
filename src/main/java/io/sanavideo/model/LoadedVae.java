package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;

/** One side of a VAE: its weights on a device, packed once and freed together. */
abstract class LoadedVae<C extends VaeConfig> implements AutoCloseable {
    private final C config;
    private final NamedWeights weights;

    /** Takes over the weights. */
    LoadedVae(C config, NamedWeights weights) {
        this.config = config;
        this.weights = weights;
    }

    public C config() {
        return config;
    }

    public Context context() {
        return weights.context();
    }

    public DType compute() {
        return weights.compute();
    }

    @Override
    public void close() {
        weights.close();
    }
}
