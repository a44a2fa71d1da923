package io.sanavideo.model;

/**
 * What an NVFP4 layer's tensors are called, beside its bias: as NVIDIA's ModelOpt calls them, and
 * two of our own for its low-rank correction.
 */
public final class Nvfp4Tensors {
    private static final String SCALES = ".weight_scale";

    private Nvfp4Tensors() {}

    /** U8 [out, in / 2] or, of a temporal convolution, [out, 3, in / 2]. */
    public static String codes(String layer) {
        return layer + ".weight";
    }

    /** F8_E4M3 [out, in / 16] or [out, 3, in / 16]. */
    public static String scales(String layer) {
        return layer + SCALES;
    }

    /** Whether a tensor is a layer's scales. */
    public static boolean isScales(String tensor) {
        return tensor.endsWith(SCALES);
    }

    /** F32, a scalar: the global scale of the weight. */
    public static String globalScale(String layer) {
        return layer + ".weight_scale_2";
    }

    /** F32, a scalar: the global scale of the layer's input; missing where it is not quantised. */
    public static String inputScale(String layer) {
        return layer + ".input_scale";
    }

    /** [rank, in]; may be missing. Parts of one product have the same. */
    public static String lowRankDown(String layer) {
        return layer + ".low_rank_down";
    }

    /** [out, rank]; may be missing. */
    public static String lowRankUp(String layer) {
        return layer + ".low_rank_up";
    }
}
