package io.sanavideo;

import io.sanavideo.media.FilmBeat;
import java.time.Duration;
import java.util.List;

/**
 * What a generation that handed its frames on reports when it is done.
 *
 * @param format of the clip
 * @param seed of the initial noise: the request's, or the one that was drawn
 * @param elapsed from the call's start on the engine to its end
 * @param frameHash SHA-256 chain over the RGB frames, 64 hexadecimal digits
 * @param recipe all that made the clip, as JSON; empty where latents were decoded alone
 * @param beats where a story's beats lie in its film; none of a clip
 * @param latents what was decoded; null of a video whose chunks were handed on as they were made
 */
public record Generated(
        ClipFormat format,
        long seed,
        Duration elapsed,
        String frameHash,
        String recipe,
        List<FilmBeat> beats,
        Latents latents) {
    public Generated {
        beats = List.copyOf(beats);
    }
}
