package io.sanavideo.pipeline;

/** What is to be made: a clip at once, or a film chunk by chunk. */
public sealed interface Job permits Settings, FilmSettings {
    /** Those of the whole. */
    Settings settings();
}
