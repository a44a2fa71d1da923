package io.sanavideo;

import io.sanavideo.media.ClipMetadata;
import io.sanavideo.pipeline.FileSink;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Who does dense products and convolutions on a card: this library's own kernels, or those of
 * cuBLASLt and cuDNN where they can be loaded. On the CPU there are only own ones.
 *
 * @param products linear layers in bf16: own, cuBLASLt, or the faster
 * @param convolutions of the VAE in bf16: own, cuDNN, or the faster
 * @param recipe of a clip, whose choices are repeated in place of all that; null for none
 */
public record Kernels(Use products, Use convolutions, String recipe) {
    /** Whose kernels. */
    public enum Use {
        /** Own kernels. */
        OWN,
        /** The vendor's library, wherever it can do the shape. */
        LIBRARY,
        /**
         * The faster of both for each shape, measured before the first clip that has it, and kept.
         */
        AUTO
    }

    /** The faster ones. */
    public static final Kernels AUTO = new Kernels(Use.AUTO, Use.AUTO, null);

    /** Own kernels alone. */
    public static final Kernels OWN = new Kernels(Use.OWN, Use.OWN, null);

    public Kernels {
        Objects.requireNonNull(products, "products");
        Objects.requireNonNull(convolutions, "convolutions");
    }

    /**
     * The kernels that made a clip.
     *
     * @param recipe as {@link Generated#recipe} or the clip's file has it
     */
    public static Kernels ofRecipe(String recipe) {
        return new Kernels(Use.AUTO, Use.AUTO, Objects.requireNonNull(recipe, "recipe"));
    }

    /**
     * The kernels that made a clip, a file or a folder of images.
     *
     * @throws IllegalArgumentException when it holds no recipe
     */
    public static Kernels ofClip(Path file) {
        String recipe = ClipMetadata.read(file).get(FileSink.RECIPE);
        if (recipe == null) {
            throw new IllegalArgumentException(
                    file + " holds no recipe; those that this project wrote do");
        }
        return ofRecipe(recipe);
    }
}
