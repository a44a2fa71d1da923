package io.sanavideo;

import io.sanavideo.pipeline.Recipe;
import java.util.List;
import java.util.Objects;

/**
 * A clip made once more from its own recipe, and whether every frame is the same.
 *
 * <pre>{@code
 * RecordedClip clip = RecordedClip.read(Path.of("clip.mp4"));
 * Model model = Model.at(folder, clip.recipe().device());
 * Reproduction again = Reproduction.of(clip, model, Materials.NONE, ProgressListener.NONE);
 * if (!again.isIdentical()) {
 *     again.differences().forEach(System.err::println);
 * }
 * }</pre>
 *
 * @param clip the file
 * @param made what was made now
 * @param differences what the recipe names and is not the same now: sentences that begin with
 *     build, device, libraries, weights or settings. Where frames are not the same these are what
 *     can be the reason; where there are none, either the recipe or the hash was changed after they
 *     were written, or the reason is something that recipes do not name
 */
public record Reproduction(RecordedClip clip, Generated made, List<String> differences) {
    public Reproduction {
        Objects.requireNonNull(clip, "clip");
        Objects.requireNonNull(made, "made");
        differences = List.copyOf(differences);
    }

    /**
     * Makes a clip again as its recipe says: settings, precision, kernels and threads. Frames are
     * hashed and not kept. An interrupt of the calling thread ends it.
     *
     * @param base where the model's folder is and which device it runs on, whose threads are the
     *     recipe's where it names none; LoRAs as files, whose scales are the recipe's. Its
     *     precision, layers, kernels and tile are not looked at
     * @param materials what the recipe names by its hash, and no more
     * @throws IllegalArgumentException when an image, noise or a LoRA is missing, or not the
     *     recipe's, or the model cannot do what the recipe asks
     * @throws ModelFormatException when the model's folder is broken
     * @throws DoesNotFitException when memory does not hold it
     * @throws DeviceException when the device cannot be used
     * @throws CancelledException after an interrupt
     */
    public static Reproduction of(
            RecordedClip clip, Model base, Materials materials, ProgressListener listener) {
        Recipe recipe = clip.recipe();
        requireUsed(recipe, materials);
        Model model = recipe.model(base);
        Generated made;
        if (recipe.isStory()) {
            Story story = recipe.story(materials);
            try (SanaVideo sana = SanaVideo.open(model, story, listener)) {
                made = sana.generate(story, FrameSink.NONE, listener);
            }
        } else {
            VideoRequest request = recipe.request(materials);
            try (SanaVideo sana = SanaVideo.open(model, request, listener)) {
                made = sana.generate(request, FrameSink.NONE, listener);
            }
        }
        return new Reproduction(clip, made, recipe.differences(Recipe.read(made.recipe())));
    }

    private static void requireUsed(Recipe recipe, Materials materials) {
        List<String> named = recipe.images();
        for (StartImage image : materials.images()) {
            if (!named.contains(image.sha256())) {
                throw new IllegalArgumentException(
                        "an image of %dx%d pixels and the SHA-256 %s was given, but the recipe has none of it"
                                .formatted(image.width(), image.height(), image.sha256()));
            }
        }
        if (materials.noise() != null && !recipe.isNoiseGiven()) {
            throw new IllegalArgumentException(
                    "initial latents were given, expected none: the recipe's noise is that of a seed");
        }
    }

    /** Whether every frame is the same, bit by bit, as it was before it was encoded. */
    public boolean isIdentical() {
        return made.frameHash().equals(clip.frameHash());
    }
}
