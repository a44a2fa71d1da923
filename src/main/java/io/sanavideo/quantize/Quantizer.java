package io.sanavideo.quantize;

import io.sanavideo.Kernels;
import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.Progress;
import io.sanavideo.ProgressListener;
import io.sanavideo.Quantization;
import io.sanavideo.Receipt;
import io.sanavideo.TextToVideo;
import io.sanavideo.model.LayerComparison;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.TransformerConfig;
import io.sanavideo.model.TransformerLayer;
import io.sanavideo.pipeline.CallQueue;
import io.sanavideo.pipeline.Engine;
import io.sanavideo.pipeline.ModelFolder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Native;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.WeightKind;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.ContentHash;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes an NVFP4 model of a dense one, with the receipt that says how near it is: the dense model
 * makes the clips of calibration and checks, its transformer is quantised layer by layer, the
 * products of both are compared on inputs that were kept, and the new model makes the clips of the
 * checks again.
 */
public final class Quantizer implements AutoCloseable {
    private final Quantization quantization;
    private final ModelFolder folder;
    private final TransformerConfig config;
    private final List<TransformerLayer> layers;
    private final Calibration calibration = new Calibration();
    private final Map<TextToVideo, Trajectory> dense = new HashMap<>();
    private final CallQueue calls = new CallQueue("quantize", this::stop, () -> {});
    private Context context;
    private Engine engine;

    /**
     * @throws ModelFormatException when the model's folder is broken, or what is to be imported
     *     holds no layer of it
     * @throws IllegalArgumentException when it is quantised already, or the policy does not fit it
     */
    public Quantizer(Quantization quantization) {
        this.quantization = quantization;
        folder = ModelFolder.of(Model.at(quantization.model(), quantization.device()));
        if (SanaTransformer.isQuantized(folder.transformer())) {
            throw new IllegalArgumentException(
                    folder.root() + " is quantised already, expected a dense model");
        }
        config = TransformerConfig.of(Json.read(folder.transformer().resolve("config.json")));
        layers = TransformerLayer.of(config);
        if (quantization.imported() == null) {
            requireFit(quantization.layers().over(null));
        } else {
            requireLayers();
        }
    }

    /** Before clips are made in vain. */
    private void requireLayers() {
        try (ForeignLayers foreign = ForeignLayers.open(quantization.imported())) {
            policy(foreign);
        }
    }

    private void requireFit(LayerPolicy asked) {
        boolean packs = false;
        for (TransformerLayer layer : layers) {
            packs |= layer.precision(asked).packsWeights();
        }
        if (!packs) {
            throw new IllegalArgumentException(
                    "the policy quantises none of the %d layers of %s, expected a rule that matches names such as %s"
                            .formatted(layers.size(), folder.root(), layers.get(0).name()));
        }
    }

    /**
     * Writes the quantised model.
     *
     * @param out a folder that is empty or new
     * @throws IllegalArgumentException when it is not
     * @throws io.sanavideo.CancelledException after {@link #cancel()}; as after any other failure,
     *     nothing stays in the folder
     */
    public Receipt write(Path out, ProgressListener listener) {
        return calls.run(
                () -> {
                    QuantizedFolder target = new QuantizedFolder(folder, out);
                    target.requireEmpty();
                    try {
                        return quantize(target, out, listener);
                    } catch (Throwable e) {
                        target.clear();
                        throw e;
                    }
                });
    }

    private Receipt quantize(QuantizedFolder target, Path out, ProgressListener listener) {
        Set<TextToVideo> clips = new LinkedHashSet<>(quantization.calibration());
        clips.addAll(quantization.checks());
        makeClips(folder.root(), clips, listener);
        List<Receipt.Layer> findings;
        String origin = "quantized";
        String denseHash;
        LayerPolicy policy;
        try (Checkpoint checkpoint = Checkpoint.open(folder.transformer());
                ForeignLayers foreign =
                        quantization.imported() == null
                                ? null
                                : ForeignLayers.open(quantization.imported());
                Context own = Context.cpu(quantization.device().threads())) {
            begin(own, null);
            try {
                policy = foreign == null ? policy() : policy(foreign);
                target.writeSmallFiles(policy, layers);
                Layers source = new Layers(checkpoint, foreign, policy, listener);
                new QuantizedTransformer(checkpoint, policy, quantization.rank())
                        .write(target.weights(), layers, source);
                denseHash = ContentHash.of(checkpoint);
                if (foreign != null) {
                    origin = "imported: " + foreign.describe(layers);
                }
                findings = findings(own, target.transformer(), policy, source.made);
            } finally {
                begin(null, null);
            }
        }
        List<Receipt.Check> checks = checks(out, listener);
        Receipt receipt =
                new Receipt(
                        Native.version(),
                        target.hash(),
                        denseHash,
                        origin,
                        quantization.fourOverSix(),
                        quantization.rank(),
                        quantization.calibration().size(),
                        share(policy),
                        findings,
                        checks);
        receipt.write(out);
        return receipt;
    }

    /** Makes clips with the dense model, watched where they are for calibration. */
    private void makeClips(Path model, Set<TextToVideo> clips, ProgressListener listener) {
        if (clips.isEmpty()) {
            return;
        }
        try (Engine made = open(ModelFolder.open(model), clips.iterator().next(), listener)) {
            try {
                clips.forEach(clip -> makeClip(made, clip, listener));
            } finally {
                begin(null, null);
            }
        }
    }

    private void makeClip(Engine made, TextToVideo clip, ProgressListener listener) {
        boolean watched = quantization.calibration().contains(clip);
        calibration.begin(made.latentFrames(clip));
        Trajectory trajectory =
                Trajectory.of(made, clip, calls, listener, watched ? calibration : null);
        if (quantization.checks().contains(clip)) {
            dense.put(clip, trajectory);
        }
    }

    private List<Receipt.Check> checks(Path model, ProgressListener listener) {
        List<Receipt.Check> checks = new ArrayList<>();
        if (quantization.checks().isEmpty()) {
            return checks;
        }
        ModelFolder quantized =
                ModelFolder.of(Model.at(model, quantization.device()).withoutReceipt());
        try (Engine made = open(quantized, quantization.checks().get(0), listener)) {
            try {
                for (TextToVideo clip : quantization.checks()) {
                    Trajectory trajectory = Trajectory.of(made, clip, calls, listener, null);
                    checks.add(dense.get(clip).check(clip, trajectory));
                }
            } finally {
                begin(null, null);
            }
        }
        return checks;
    }

    private Engine open(ModelFolder model, TextToVideo first, ProgressListener listener) {
        Engine opened =
                Engine.open(
                        model, quantization.device(), Precision.AUTO, Kernels.OWN, first, listener);
        begin(null, opened);
        return opened;
    }

    /** The policy that is asked for, as far as activations were seen. */
    private LayerPolicy policy() {
        LayerPolicy asked = quantization.layers().over(null);
        for (TransformerLayer layer : layers) {
            if (asked.of(layer.name()) == LayerPrecision.NVFP4 && !calibration.has(layer)) {
                return LayerPolicy.atMost(LayerPrecision.NVFP4_WEIGHTS).over(asked);
            }
        }
        return asked;
    }

    /** What the file holds. */
    private LayerPolicy policy(ForeignLayers foreign) {
        List<LayerPolicy.Rule> rules = new ArrayList<>();
        for (TransformerLayer layer : layers) {
            if (foreign.has(layer)) {
                LayerPrecision precision =
                        foreign.inputScale(layer) > 0
                                ? LayerPrecision.NVFP4
                                : LayerPrecision.NVFP4_WEIGHTS;
                layer.parts().forEach(part -> rules.add(new LayerPolicy.Rule(part, precision)));
            }
        }
        if (rules.isEmpty()) {
            throw new ModelFormatException(
                    "%s: holds no whole NVFP4 layer of this model, expected tensors such as %s.weight_scale"
                            .formatted(quantization.imported(), layers.get(0).name()));
        }
        return new LayerPolicy(rules, null, 0, 0);
    }

    /** The share of a step's multiplications in the blocks' products with both operands NVFP4. */
    private double share(LayerPolicy policy) {
        double all = 0;
        double quantized = 0;
        for (TransformerLayer layer : layers) {
            if (layer.perToken()) {
                all += layer.elements();
                quantized += policy.of(layer.name()) == LayerPrecision.NVFP4 ? layer.elements() : 0;
            }
        }
        return quantized / all;
    }

    private List<Receipt.Layer> findings(
            Context own, Path transformer, LayerPolicy policy, Map<String, QuantizedLayer> made) {
        LayerComparison comparison = new LayerComparison(own, folder.transformer(), transformer);
        List<Receipt.Layer> findings = new ArrayList<>();
        for (TransformerLayer layer : layers) {
            calls.throwIfCancelled();
            LayerPrecision precision = policy.of(layer.name());
            QuantizedLayer quantized = made.get(layer.name());
            double error = Double.NaN;
            double beyond = Double.NaN;
            if (quantized != null && calibration.has(layer)) {
                try (Tensor inputs = inputs(own, layer)) {
                    error = comparison.error(config, layer, inputs);
                }
                beyond = precision == LayerPrecision.NVFP4 ? beyond(layer) : Double.NaN;
            }
            findings.add(
                    new Receipt.Layer(
                            layer.name(),
                            precision,
                            quantized == null ? Double.NaN : quantized.signalToNoise(),
                            quantized == null ? Double.NaN : quantized.saturation(),
                            beyond,
                            error));
        }
        return findings;
    }

    /** The inputs of a layer that were kept. */
    private Tensor inputs(Context own, TransformerLayer layer) {
        List<float[]> sample = calibration.sample(layer);
        int in = layer.in();
        int pieceRows = sample.get(0).length / in;
        float[] all = new float[sample.size() * pieceRows * in];
        for (int place = 0; place < sample.size(); place++) {
            for (int row = 0; row < pieceRows; row++) {
                int to = (row * sample.size() + place) * in;
                System.arraycopy(sample.get(place), row * in, all, to, in);
            }
        }
        Tensor inputs =
                layer.kind() == WeightKind.TEMPORAL
                        ? own.tensor(DType.F32, 1, pieceRows, sample.size(), in)
                        : own.tensor(DType.F32, sample.size(), in);
        inputs.upload(all);
        return inputs;
    }

    private double beyond(TransformerLayer layer) {
        double most = LayerQuantizer.SIX_RANGE * calibration.inputScale(layer);
        long count = 0;
        long beyond = 0;
        for (float[] piece : calibration.sample(layer)) {
            for (float value : piece) {
                beyond += Math.abs(value) > most ? 1 : 0;
            }
            count += piece.length;
        }
        return (double) beyond / count;
    }

    /** The layers as they are asked for, and what became of them. */
    private final class Layers implements QuantizedTransformer.Source {
        private final DenseLayers weights;
        private final ForeignLayers foreign;
        private final LayerPolicy policy;
        private final LayerQuantizer quantizer;
        private final ProgressListener listener;
        private final Map<String, QuantizedLayer> made = new HashMap<>();
        private final long start = System.nanoTime();
        private final long total;
        private long done;

        Layers(
                Checkpoint checkpoint,
                ForeignLayers foreign,
                LayerPolicy policy,
                ProgressListener listener) {
            weights = new DenseLayers(checkpoint);
            this.foreign = foreign;
            this.policy = policy;
            this.listener = listener;
            quantizer =
                    new LayerQuantizer(context, quantization.fourOverSix(), quantization.rank());
            total =
                    layers.stream()
                            .filter(layer -> policy.of(layer.name()).packsWeights())
                            .mapToLong(TransformerLayer::elements)
                            .sum();
            report();
        }

        private void report() {
            Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
            listener.onProgress(new Progress(Progress.Phase.QUANTIZE, done, total, elapsed, null));
        }

        @Override
        public QuantizedLayer layer(TransformerLayer layer) {
            calls.throwIfCancelled();
            float[] weight = weights.weight(layer);
            return foreign == null
                    ? quantizer.quantize(layer, weight)
                    : foreign.layer(layer, weight);
        }

        @Override
        public float inputScale(TransformerLayer layer) {
            if (policy.of(layer.name()) != LayerPrecision.NVFP4) {
                return 0;
            }
            return foreign == null ? calibration.inputScale(layer) : foreign.inputScale(layer);
        }

        @Override
        public void written(TransformerLayer layer, QuantizedLayer quantized) {
            made.put(layer.name(), quantized.withoutWeights());
            done += layer.elements();
            report();
        }
    }

    private synchronized void begin(Context newContext, Engine newEngine) {
        context = newContext;
        engine = newEngine;
    }

    private synchronized void stop() {
        if (context != null) {
            context.cancel();
        }
        if (engine != null) {
            engine.cancel();
        }
    }

    /** Ends what {@link #write} does, soon; any thread. */
    public void cancel() {
        calls.cancel();
    }

    @Override
    public void close() {
        calls.close();
    }
}
