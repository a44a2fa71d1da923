package io.sanavideo.runtime;

/** What a convolution reads outside of a frame; the values of {@code sv_padding}. */
public enum Padding {
    ZEROS,
    /** The frame, mirrored about its outermost pixels. */
    REFLECT
}
