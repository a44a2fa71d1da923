package io.sanavideo.runtime;

/** What an epilogue applies to a product; the values of {@code sv_activation}. */
public enum Activation {
    NONE,
    /** x * sigmoid(x) */
    SILU,
    /** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
    GELU_TANH
}
