package io.sanavideo.runtime;

/** What a weight is used for; the values of {@code sv_weight_kind}, with the shape each one has. */
public enum WeightKind {
    /** [out, in] */
    LINEAR,
    /** [channels, channels, 3] */
    TEMPORAL,
    /** [out, in, frames, height, width], odd kernel sizes */
    CONVOLUTION,
    /** [out, in, 3, 3] */
    UPSAMPLE,
    /** [channels, 1, 3, 3] */
    DEPTHWISE
}
