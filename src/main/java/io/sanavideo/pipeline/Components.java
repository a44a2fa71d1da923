package io.sanavideo.pipeline;

import io.sanavideo.Device;
import io.sanavideo.Precision;
import io.sanavideo.ProgressListener;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.VaeDecoder;
import io.sanavideo.model.VaeEncoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The components of a model on one context, each loaded when it is needed. */
final class Components {
    private final Component<Gemma2Encoder> encoder;
    private final Component<Gemma2Encoder> streamedEncoder;
    private final Component<SanaTransformer> transformer;
    private final Component<SanaTransformer> streamedTransformer;
    final Component<VaeDecoder> vae;
    final Component<VaeEncoder> vaeEncoder;
    private final Context context;
    private final DType compute;

    Components(ModelParts parts, Device device, Precision precision, Context context) {
        ModelFolder folder = parts.folder();
        this.context = context;
        compute = DType.of(precision, device);
        DType vaeCompute = vaeCompute(device, precision);
        encoder = encoder(folder, false);
        streamedEncoder = encoder(folder, true);
        transformer = transformer(folder, false);
        streamedTransformer = transformer(folder, true);
        vae =
                new Component<>(
                        folder.vae(),
                        progress ->
                                parts.vae()
                                        .loadDecoder(context, folder.vae(), vaeCompute, progress));
        vaeEncoder =
                new Component<>(
                        folder.vae(),
                        progress ->
                                parts.vae()
                                        .loadEncoder(context, folder.vae(), vaeCompute, progress));
    }

    private Component<Gemma2Encoder> encoder(ModelFolder folder, boolean streamed) {
        return new Component<>(
                folder.textEncoder(),
                progress ->
                        Gemma2Encoder.load(
                                context, folder.textEncoder(), compute, streamed, progress));
    }

    private Component<SanaTransformer> transformer(ModelFolder folder, boolean streamed) {
        return new Component<>(
                folder.transformer(),
                progress ->
                        SanaTransformer.load(
                                context,
                                folder.transformer(),
                                compute,
                                folder.layers(),
                                folder.loras(),
                                folder.loraMode(),
                                streamed,
                                progress));
    }

    Component<Gemma2Encoder> encoder(Residency residency) {
        return residency == Residency.STREAMED ? streamedEncoder : encoder;
    }

    Component<SanaTransformer> transformer(Residency residency) {
        return residency == Residency.STREAMED ? streamedTransformer : transformer;
    }

    Context context() {
        return context;
    }

    /** What text encoder and transformer compute in. */
    DType compute() {
        return compute;
    }

    /** What each component computes in, by its name. */
    static Map<String, String> dtypes(ModelFolder folder, Device device, Precision precision) {
        DType compute = DType.of(precision, device);
        Map<String, String> dtypes = new LinkedHashMap<>();
        dtypes.put("text_encoder", compute.toString());
        dtypes.put(
                "transformer", folder.isQuantized() ? compute + " and NVFP4" : compute.toString());
        dtypes.put("vae", vaeCompute(device, precision).toString());
        return dtypes;
    }

    /** On a CPU nothing is gained by bf16 convolutions that would be worth the picture. */
    private static DType vaeCompute(Device device, Precision precision) {
        boolean careful = precision == Precision.AUTO && device.kind() == Device.Kind.CPU;
        return careful ? DType.F32 : DType.of(precision, device);
    }

    /** Loads what is not there yet, all in one phase of loading. */
    void loadAll(ProgressListener listener) {
        List<Component<?>> all = List.of(encoder, transformer, vae);
        LoadClock clock = new LoadClock(listener, all.stream().map(Component::folder).toList());
        all.forEach(component -> component.get(clock::loaded));
        clock.finish();
    }

    /**
     * Runs work with the transformer and the VAE's decoder, which a film needs in turn.
     *
     * @param residency any but TOGETHER puts the text encoder away before, and both after
     */
    <R> R withFilmParts(
            Residency residency,
            ProgressListener listener,
            BiFunction<SanaTransformer, VaeDecoder, R> work) {
        Component<SanaTransformer> denoiser = transformer(residency);
        if (residency == Residency.TOGETHER) {
            return work.apply(denoiser.get(listener), vae.get(listener));
        }
        keepOnly(denoiser, vae);
        try {
            return work.apply(denoiser.get(listener), vae.get(listener));
        } finally {
            denoiser.putAway();
            vae.putAway();
        }
    }

    /** Puts away all but these. */
    void keepOnly(Component<?>... kept) {
        for (Component<?> component :
                List.of(
                        encoder,
                        transformer,
                        streamedEncoder,
                        streamedTransformer,
                        vae,
                        vaeEncoder)) {
            if (!Arrays.asList(kept).contains(component)) {
                component.putAway();
            }
        }
    }

    /**
     * Runs work with the VAE's encoder, which is put away at once: a request without an image has
     * no use for it.
     */
    <R> R withVaeEncoder(
            Residency residency, ProgressListener listener, Function<VaeEncoder, R> work) {
        if (residency != Residency.TOGETHER) {
            keepOnly(vaeEncoder);
        }
        try {
            return work.apply(vaeEncoder.get(listener));
        } finally {
            vaeEncoder.putAway();
        }
    }

    /**
     * Runs work with a component.
     *
     * @param residency any but TOGETHER puts the others away before, and this one after
     */
    <T extends AutoCloseable, R> R with(
            Component<T> component,
            Residency residency,
            ProgressListener listener,
            Function<T, R> work) {
        if (residency == Residency.TOGETHER) {
            return work.apply(component.get(listener));
        }
        keepOnly(component);
        try {
            return work.apply(component.get(listener));
        } finally {
            component.putAway();
        }
    }
}
