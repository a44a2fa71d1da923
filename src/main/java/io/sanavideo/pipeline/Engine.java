package io.sanavideo.pipeline;

import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.TextToVideo;
import io.sanavideo.model.Gemma2Encoder;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.model.TransformerConfig;
import io.sanavideo.model.WanVaeConfig;
import io.sanavideo.model.WanVaeDecoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Native;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.SchedulerConfig;
import io.sanavideo.text.Tokenizer;
import io.sanavideo.weights.Json;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A loaded model: what happens in which order. One call at a time, from one thread; only {@link
 * #cancel()} may come from another.
 */
public final class Engine implements AutoCloseable {
    private final Context context;
    private final Device device;
    private final GenerationDefaults defaults;
    private final ModelLimits limits;
    private final SchedulerConfig schedule;
    private final PromptEncoder prompts;
    private final Denoiser denoiser;
    private final FrameDecoder frames;
    private final Map<String, String> dtypes = new LinkedHashMap<>();
    private final CompletableFuture<Map<String, String>> weightHashes;

    private Engine(
            ModelFolder folder,
            Device device,
            Precision precision,
            Context context,
            ProgressListener listener) {
        this.context = context;
        this.device = device;
        CompletableFuture<Tokenizer> tokenizerRead =
                CompletableFuture.supplyAsync(() -> Tokenizer.open(folder.tokenizer()));
        schedule = SchedulerConfig.of(Json.read(folder.schedulerConfig()));
        DType compute = compute(precision);
        DType vaeCompute = precision == Precision.BF16 ? DType.BF16 : DType.F32;
        dtypes.put("text_encoder", compute.toString());
        dtypes.put("transformer", compute.toString());
        dtypes.put("vae", vaeCompute.toString());
        LoadClock clock = new LoadClock(listener, folder);
        Gemma2Encoder encoder =
                Gemma2Encoder.load(context, folder.textEncoder(), compute, clock::loaded);
        SanaTransformer transformer =
                SanaTransformer.load(context, folder.transformer(), compute, clock::loaded);
        WanVaeDecoder vae = WanVaeDecoder.load(context, folder.vae(), vaeCompute, clock::loaded);
        TransformerConfig config = transformer.config();
        Tokenizer tokenizer = Background.result(tokenizerRead);
        requireFit(folder, config, vae.config(), encoder);
        requireEmbeddings(folder, encoder, tokenizer);
        limits =
                new ModelLimits(
                        vae.config().spatialFactor() * config.patchHeight(),
                        vae.config().temporalFactor(),
                        config.maxPositions());
        defaults = GenerationDefaults.read(folder.root(), config.sampleSize());
        prompts = new PromptEncoder(tokenizer, encoder, compute);
        denoiser =
                new Denoiser(
                        transformer, vae.config().temporalFactor(), vae.config().spatialFactor());
        frames = new FrameDecoder(vae);
        weightHashes = CompletableFuture.supplyAsync(() -> WeightHashes.of(folder));
        clock.finish();
    }

    /** Loads a model; see {@link io.sanavideo.SanaVideo#open}. */
    public static Engine open(
            ModelFolder folder, Device device, Precision precision, ProgressListener listener) {
        if (device.kind() != Device.Kind.CPU) {
            throw new DeviceException(
                    "device %s cannot be used: this version runs on the CPU only"
                            .formatted(device));
        }
        Context context = Context.cpu(device.threads());
        try {
            return new Engine(folder, device, precision, context, listener);
        } catch (Throwable e) {
            context.close();
            throw e;
        }
    }

    private static DType compute(Precision precision) {
        boolean bf16 =
                precision == Precision.BF16 || (precision == Precision.AUTO && Native.cpuHasBf16());
        return bf16 ? DType.BF16 : DType.F32;
    }

    /** The components of a model must have been made for each other. */
    private static void requireFit(
            ModelFolder folder, TransformerConfig config, WanVaeConfig vae, Gemma2Encoder encoder) {
        requireEqual(
                folder,
                "the transformer's in_channels",
                config.inChannels(),
                "the VAE's z_dim",
                vae.latentChannels());
        requireEqual(
                folder,
                "the transformer's out_channels",
                config.outChannels(),
                "its in_channels",
                config.inChannels());
        requireEqual(
                folder,
                "the transformer's caption_channels",
                config.captionChannels(),
                "the text encoder's hidden_size",
                encoder.config().width());
        requireEqual(
                folder, "the transformer's patch_size[0]", config.patchFrames(), "one frame", 1);
        requireEqual(
                folder,
                "the transformer's patch_size[1]",
                config.patchHeight(),
                "its patch_size[2]",
                config.patchWidth());
    }

    private static void requireEqual(
            ModelFolder folder, String name, int value, String otherName, int other) {
        if (value != other) {
            throw new ModelFormatException(
                    "%s: %s is %d, expected %s, %d"
                            .formatted(folder.root(), name, value, otherName, other));
        }
    }

    /** Each token must have its embedding, or a prompt that holds a rare one fails one day. */
    private static void requireEmbeddings(
            ModelFolder folder, Gemma2Encoder encoder, Tokenizer tokenizer) {
        if (tokenizer.largestId() >= encoder.config().vocabulary()) {
            throw new ModelFormatException(
                    "%s: vocab_size is %d, expected %d or more: %s has ids up to %d"
                            .formatted(
                                    folder.textEncoder().resolve("config.json"),
                                    encoder.config().vocabulary(),
                                    tokenizer.largestId() + 1,
                                    folder.tokenizer().resolve("tokenizer.json"),
                                    tokenizer.largestId()));
        }
    }

    /** The request with its blanks filled in; throws when the model cannot do it. */
    public Settings settings(TextToVideo request) {
        return Settings.of(request, defaults, limits, schedule);
    }

    /** What the model makes when a request is silent. */
    public GenerationDefaults defaults() {
        return defaults;
    }

    /** Encodes the text and denoises. */
    public Denoised denoise(Settings settings, CallQueue calls, ProgressListener listener) {
        long start = System.nanoTime();
        boolean guided = denoiser.isGuided(settings);
        PhaseClock clock = new PhaseClock(listener, Phase.ENCODE, guided ? 2 : 1, null);
        try (Tensor prompt = prompts.prompt(settings)) {
            clock.done(1);
            try (Tensor negative = guided ? prompts.negative(settings) : null) {
                if (guided) {
                    clock.done(2);
                }
                Latents latents = denoiser.denoise(settings, prompt, negative, calls, listener);
                return new Denoised(settings, latents, Duration.ofNanos(System.nanoTime() - start));
            }
        }
    }

    /** Decodes and hands frames on. */
    public Generated decode(
            Denoised denoised, FrameSink sink, CallQueue calls, ProgressListener listener) {
        long start = System.nanoTime();
        Settings settings = denoised.settings();
        String hash = frames.decode(denoised.latents(), settings.format(), sink, calls, listener);
        String recipe =
                Recipe.of(
                        settings,
                        Background.result(weightHashes),
                        dtypes,
                        device.toString(),
                        context.threads());
        Duration elapsed = denoised.elapsed().plusNanos(System.nanoTime() - start);
        return new Generated(
                settings.format(), settings.seed(), elapsed, hash, recipe, denoised.latents());
    }

    /** Decodes latents on their own, without a recipe. */
    public void decode(Latents latents, FrameSink sink, CallQueue calls) {
        frames.decode(
                latents,
                frames.format(latents, defaults.fps()),
                sink,
                calls,
                ProgressListener.NONE);
    }

    /** Bytes of native memory that the model and what runs on it hold now. */
    long memoryInUse() {
        return context.memoryInUse();
    }

    /** Makes the native work of the running call end soon. */
    public void cancel() {
        context.cancel();
    }

    /** Lets native work run again. */
    public void resume() {
        context.resume();
    }

    @Override
    public void close() {
        context.close();
    }
}
