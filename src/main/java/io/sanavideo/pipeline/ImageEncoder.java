package io.sanavideo.pipeline;

import io.sanavideo.ClipFormat;
import io.sanavideo.Latents;
import io.sanavideo.StartImage;
import io.sanavideo.media.PictureColours;
import io.sanavideo.model.EncodingStream;
import io.sanavideo.model.VaeEncoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** An image to the latent frame that a clip begins with. */
final class ImageEncoder {
    private static final int COLOURS = 3;

    private ImageEncoder() {}

    /**
     * @param format of the clip: the image is cut and scaled to its size
     * @return one latent frame, normalised
     */
    static Latents encode(VaeEncoder vae, StartImage image, ClipFormat format) {
        Context context = vae.context();
        List<Latents> encoded = new ArrayList<>();
        try (Range phase = context.range("encode image");
                EncodingStream stream = vae.stream(format.height(), format.width());
                Tensor picture =
                        context.tensor(vae.compute(), format.height(), format.width(), COLOURS)) {
            if (!context.isDry()) {
                picture.upload(PictureColours.covering(image, format.width(), format.height()));
            }
            Consumer<Tensor> taker =
                    latents ->
                            encoded.add(
                                    new Latents(
                                            1,
                                            (int) latents.size(1),
                                            (int) latents.size(2),
                                            (int) latents.size(3),
                                            latents.toFloats()));
            stream.encode(picture, taker);
            stream.finish(taker);
            return encoded.get(0);
        }
    }
}
