package io.sanavideo.pipeline;

import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Sampler;
import io.sanavideo.Story;
import io.sanavideo.VideoRequest;
import io.sanavideo.model.Gemma2Config;
import io.sanavideo.model.TransformerConfig;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.schedule.SchedulerConfig;
import io.sanavideo.text.PromptTokens;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.stream.IntStream;

/**
 * What a model is, known from its configurations alone: nothing is loaded yet.
 *
 * @param folder of the model
 * @param text the text encoder's configuration
 * @param transformer the transformer's
 * @param vae the VAE's
 * @param schedule the scheduler's
 * @param defaults what the model makes when a request is silent
 * @param limits what clips it can make
 */
record ModelParts(
        ModelFolder folder,
        Gemma2Config text,
        TransformerConfig transformer,
        VaeConfig vae,
        SchedulerConfig schedule,
        GenerationDefaults defaults,
        ModelLimits limits) {
    /** Characters that a token of an instruction stands for, at the least. */
    private static final int CHARACTERS = 3;

    /**
     * @throws ModelFormatException when a configuration is broken or the components were not made
     *     for each other
     */
    static ModelParts read(ModelFolder folder) {
        SchedulerConfig schedule = SchedulerConfig.of(Json.read(folder.schedulerConfig()));
        Gemma2Config text = Gemma2Config.of(config(folder.textEncoder()));
        TransformerConfig transformer = TransformerConfig.of(config(folder.transformer()));
        VaeConfig vae = VaeConfig.of(config(folder.vae()));
        requireFit(folder, transformer, vae, text);
        requireTile(folder.tile(), vae);
        GenerationDefaults defaults = GenerationDefaults.read(folder, transformer.sampleSize());
        ModelLimits limits =
                new ModelLimits(
                        vae.spatialFactor() * transformer.patchHeight(),
                        vae.leastSize(),
                        vae.temporalFactor(),
                        transformer.maxPositions(),
                        transformer.maxPositions(),
                        defaults.trained());
        return new ModelParts(folder, text, transformer, vae, schedule, defaults, limits);
    }

    private static Json config(Path component) {
        return Json.read(component.resolve("config.json"));
    }

    /** Rows and columns of the latent that are decoded at a time; 0 where memory decides. */
    int tile() {
        return folder.tile() / vae.spatialFactor();
    }

    /**
     * Tokens as many as a prompt of these settings has at the most, to plan with: its instruction
     * counts a token for each {@value #CHARACTERS} characters.
     */
    PromptTokens longestPrompt(Settings settings) {
        int instruction = settings.instruction().text().length() / CHARACTERS;
        int count = Math.min(settings.maxTokens() + instruction, text.maxPositions());
        int rows = Math.min(settings.maxTokens(), count);
        return new PromptTokens(new int[count], IntStream.range(0, rows).toArray());
    }

    /** What a request is made as: chunk by chunk, or at once. */
    Job job(VideoRequest request) {
        return FilmSettings.isChunked(this, request)
                ? FilmSettings.of(this, request)
                : settings(request);
    }

    /** What a story is made as. */
    FilmSettings job(Story story) {
        return FilmSettings.of(this, story);
    }

    /** The request with its blanks filled in; throws when the model cannot do it. */
    Settings settings(VideoRequest request) {
        Settings settings = Settings.of(request, defaults, limits, schedule);
        if (settings.schedule().sampler() == Sampler.FEW_STEP) {
            throw new IllegalArgumentException(
                    "the few-step sampler was asked for, expected another: it makes long video chunk by chunk, and this is made at once");
        }
        return settings;
    }

    private static void requireTile(int tile, VaeConfig vae) {
        int factor = vae.spatialFactor();
        int least = Tiling.leastTile(vae) * factor;
        if (tile != Model.WHOLE_FRAMES && (tile < least || tile % factor != 0)) {
            throw new IllegalArgumentException(
                    "a tile is %d pixels, expected a multiple of %d from %d on: the nearest is %d"
                            .formatted(
                                    tile,
                                    factor,
                                    least,
                                    Math.max(least, (tile + factor / 2) / factor * factor)));
        }
    }

    private static void requireFit(
            ModelFolder folder, TransformerConfig config, VaeConfig vae, Gemma2Config text) {
        requireEqual(
                folder,
                "the transformer's in_channels",
                config.inChannels(),
                "the VAE's latent channels",
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
                text.width());
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
}
