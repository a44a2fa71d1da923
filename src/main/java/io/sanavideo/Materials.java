package io.sanavideo;

import java.util.List;
import java.util.Optional;

/**
 * What a clip is made from besides its recipe, which names it by its SHA-256 and does not hold it.
 *
 * @param images pictures that clips or beats begin with, in any order
 * @param noise initial latents, or null
 */
public record Materials(List<StartImage> images, Latents noise) {
    /** Nothing: enough for clips of text alone, whose noise is a seed's. */
    public static final Materials NONE = new Materials(List.of(), null);

    public Materials {
        images = List.copyOf(images);
    }

    /**
     * The image of these pixels.
     *
     * @param sha256 as {@link StartImage#sha256()}
     * @throws IllegalArgumentException when it is not here
     */
    public StartImage image(String sha256) {
        Optional<StartImage> found =
                images.stream().filter(image -> image.sha256().equals(sha256)).findFirst();
        return found.orElseThrow(
                () ->
                        new IllegalArgumentException(
                                "the image whose pixels have the SHA-256 %s is missing: %d were given, none of them this one (--image)"
                                        .formatted(sha256, images.size())));
    }

    /**
     * The initial latents of these values.
     *
     * @param sha256 as {@link Latents#sha256()}
     * @throws IllegalArgumentException when they are not here
     */
    public Latents noise(String sha256) {
        if (noise == null || !noise.sha256().equals(sha256)) {
            throw new IllegalArgumentException(
                    "the initial latents of the SHA-256 %s are missing: %s (--latents-in)"
                            .formatted(
                                    sha256,
                                    noise == null
                                            ? "none were given"
                                            : "those that were given have " + noise.sha256()));
        }
        return noise;
    }
}
