package io.sanavideo;

import java.util.Objects;

/**
 * A request for a clip that begins with an image and goes on as the text says. The image becomes
 * the first latent frame and stays as it is while the others are denoised around it (SANA-Video,
 * image to video).
 *
 * <pre>{@code
 * StartImage photo = StartImage.read(Path.of("photo.jpg"));
 * TextToVideo text = TextToVideo.prompt("the boat drifts to the left").seed(7).build();
 * Clip clip = sana.generate(new ImageToVideo(photo, text));
 * }</pre>
 *
 * @param image the first frame: the part of it that has the clip's shape is cut out of the middle
 *     and scaled
 * @param text what happens next, and how the clip is made; a clip of one frame has nothing to be
 *     denoised and is refused
 */
public record ImageToVideo(StartImage image, TextToVideo text) implements VideoRequest {
    public ImageToVideo {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(text, "text");
    }
}
