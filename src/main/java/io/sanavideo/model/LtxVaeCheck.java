package io.sanavideo.model;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

/** The LTX-2 VAE's, which this version does not run. */
final class LtxVaeCheck implements ComponentCheck {
    @Override
    public String component() {
        return "LTX-2 VAE";
    }

    @Override
    public List<String> notBuilt() {
        return List.of("decoded", "latent_mean", "latent_logvar");
    }

    @Override
    public List<Comparison> run(
            Context context,
            Path folder,
            DType compute,
            boolean intermediate,
            Predicate<String> wanted) {
        return List.of();
    }
}
