package io.sanavideo.cli;

import picocli.CommandLine.Option;

/** The option of commands that decode latents. */
final class TileOption {
    @Option(
            names = "--tile",
            paramLabel = "PIXELS",
            defaultValue = "0",
            description = {
                "Decodes frames in square tiles of so many pixels a side, cross-faded: less memory, and",
                "pixels that differ a little (default: whole frames where memory holds them)."
            })
    private int pixels;

    int pixels() {
        return pixels;
    }
}
