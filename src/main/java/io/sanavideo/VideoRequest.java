package io.sanavideo;

/** A request for a clip: from text alone, or from an image and text. */
public sealed interface VideoRequest permits TextToVideo, ImageToVideo {
    /** What the clip is to show and how it is made. */
    TextToVideo text();
}
