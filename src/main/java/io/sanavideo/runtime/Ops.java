package io.sanavideo.runtime;

import static io.sanavideo.runtime.Native.check;

import io.sanavideo.binding.ContextHandle;
import io.sanavideo.binding.EpilogueStruct;
import io.sanavideo.binding.SanaVideoAbi;
import io.sanavideo.binding.TensorStruct;
import io.sanavideo.binding.WeightHandle;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * The ops of a context: one method for each function of {@code include/sanavideo}, where formulas,
 * shapes and dtypes are documented. Wrong arguments end in an {@link IllegalArgumentException} that
 * names the argument, a set cancel flag in a {@link io.sanavideo.CancelledException}.
 */
public final class Ops {
    private static final int MAX_TERMS = 8;

    private final Context context;
    // Filled anew for each call: calls on a context come from one thread at a time.
    private final EpilogueStruct epilogue = new EpilogueStruct();
    private final FloatPointer coefficients = new FloatPointer(MAX_TERMS);
    private final PointerPointer<TensorStruct> terms = new PointerPointer<>(MAX_TERMS);

    private Alternative alternative = Alternative.NONE;

    Ops(Context context) {
        this.context = context;
    }

    void offerTo(Alternative other) {
        alternative = other;
    }

    void release() {
        epilogue.deallocate();
        coefficients.deallocate();
        terms.deallocate();
    }

    private ContextHandle handle() {
        return context.handle();
    }

    private static TensorStruct struct(Tensor tensor) {
        return tensor == null ? null : tensor.struct();
    }

    private static WeightHandle handle(Weight weight) {
        return weight == null ? null : weight.handle();
    }

    private EpilogueStruct struct(Epilogue described) {
        return epilogue.bias(struct(described.bias()))
                .activation(described.activation().ordinal())
                .gate(struct(described.gate()))
                .gate_row(described.gateRow())
                .residual(struct(described.residual()))
                .square_sums(struct(described.squareSums()))
                .square_parts(described.squareParts())
                .low_rank(struct(described.lowRank()))
                .low_rank_up(handle(described.lowRankUp()))
                .quantized(
                        described.quantized() == null
                                ? null
                                : described.quantized().struct(described.quantizedScale()));
    }

    // linear.h

    public void linear(Tensor in, Weight weight, Epilogue described, Tensor out) {
        if (alternative.linear(in, weight, described, out)) {
            return;
        }
        check(
                SanaVideoAbi.sv_linear(
                        handle(), struct(in), handle(weight), struct(described), struct(out)),
                "linear");
    }

    public void finishProduct(Tensor product, Epilogue described, Tensor out) {
        check(
                SanaVideoAbi.sv_finish_product(
                        handle(), struct(product), struct(described), struct(out)),
                "finish product");
    }

    // norm.h

    public void layerNormModulated(
            Tensor in, Tensor modulation, int shiftRow, int scaleRow, float epsilon, Tensor out) {
        check(
                SanaVideoAbi.sv_layer_norm_modulated(
                        handle(),
                        struct(in),
                        struct(modulation),
                        shiftRow,
                        scaleRow,
                        epsilon,
                        struct(out)),
                "layer norm");
    }

    /** {@code residual} may be null. */
    public void rmsNorm(
            Tensor in,
            int part,
            Tensor weight,
            float weightOffset,
            float epsilon,
            Tensor residual,
            Tensor out) {
        check(
                SanaVideoAbi.sv_rms_norm(
                        handle(),
                        struct(in),
                        part,
                        struct(weight),
                        weightOffset,
                        epsilon,
                        struct(residual),
                        struct(out)),
                "RMS norm");
    }

    public void rowSquareSums(Tensor in, Tensor out) {
        check(
                SanaVideoAbi.sv_row_square_sums(handle(), struct(in), struct(out)),
                "row square sums");
    }

    public void channelNorm(Tensor in, Tensor gamma, boolean silu, Tensor out) {
        check(
                SanaVideoAbi.sv_channel_norm(
                        handle(), struct(in), struct(gamma), silu ? 1 : 0, struct(out)),
                "channel norm");
    }

    public void pixelNorm(Tensor in, float epsilon, boolean silu, Tensor out) {
        check(
                SanaVideoAbi.sv_pixel_norm(
                        handle(), struct(in), epsilon, silu ? 1 : 0, struct(out)),
                "pixel norm");
    }

    // attention.h

    public void ropeAngles(
            long firstFrame, long frames, long height, long width, double theta, Tensor out) {
        check(
                SanaVideoAbi.sv_rope_angles(
                        handle(), firstFrame, frames, height, width, theta, struct(out)),
                "rope angles");
    }

    /** {@code before} and {@code after} may be null; they may be the same. */
    public void linearAttention(
            Tensor qkv,
            Tensor squareSums,
            Tensor qWeight,
            Tensor kWeight,
            float normEpsilon,
            Tensor angles,
            float epsilon,
            LinearState before,
            LinearState after,
            Tensor out) {
        check(
                SanaVideoAbi.sv_linear_attention(
                        handle(),
                        struct(qkv),
                        struct(squareSums),
                        struct(qWeight),
                        struct(kWeight),
                        normEpsilon,
                        struct(angles),
                        epsilon,
                        before == null ? null : struct(before.values()),
                        before == null ? null : struct(before.keys()),
                        after == null ? null : struct(after.values()),
                        after == null ? null : struct(after.keys()),
                        struct(out)),
                "linear attention");
    }

    public void crossAttention(
            Tensor q,
            Tensor squareSums,
            Tensor qWeight,
            float normEpsilon,
            Tensor keysValues,
            Tensor out) {
        check(
                SanaVideoAbi.sv_cross_attention(
                        handle(),
                        struct(q),
                        struct(squareSums),
                        struct(qWeight),
                        normEpsilon,
                        struct(keysValues),
                        struct(out)),
                "cross-attention");
    }

    public void frameAttention(Tensor qkv, Tensor out) {
        check(
                SanaVideoAbi.sv_frame_attention(handle(), struct(qkv), struct(out)),
                "frame attention");
    }

    public void textAttention(
            Tensor qkv,
            int heads,
            int keyHeads,
            double theta,
            float scale,
            float cap,
            long window,
            Tensor out) {
        check(
                SanaVideoAbi.sv_text_attention(
                        handle(),
                        struct(qkv),
                        heads,
                        keyHeads,
                        theta,
                        scale,
                        cap,
                        window,
                        struct(out)),
                "text attention");
    }

    // convolution.h

    public void depthwiseGate(Tensor in, Weight weight, Tensor bias, Tensor out) {
        check(
                SanaVideoAbi.sv_depthwise_gate(
                        handle(), struct(in), handle(weight), struct(bias), struct(out)),
                "depthwise gate");
    }

    /** {@code previous} may be null. */
    public void temporalConvolution(
            Tensor in, Tensor previous, Weight weight, Epilogue described, Tensor out) {
        check(
                SanaVideoAbi.sv_temporal_convolution(
                        handle(),
                        struct(in),
                        struct(previous),
                        handle(weight),
                        struct(described),
                        struct(out)),
                "temporal convolution");
    }

    /** With zeros around each frame. */
    public void convolution(Tensor in, Weight weight, Epilogue described, Tensor out) {
        convolution(in, weight, Padding.ZEROS, described, out);
    }

    public void convolution(
            Tensor in, Weight weight, Padding padding, Epilogue described, Tensor out) {
        // The vendor's library pads with zeros alone.
        if (padding == Padding.ZEROS && alternative.convolution(in, weight, described, out)) {
            return;
        }
        check(
                SanaVideoAbi.sv_convolution(
                        handle(),
                        struct(in),
                        handle(weight),
                        padding.ordinal(),
                        struct(described),
                        struct(out)),
                "convolution");
    }

    /** {@code bias} may be null. */
    public void upsampleConvolution(Tensor in, Weight weight, Tensor bias, Tensor out) {
        check(
                SanaVideoAbi.sv_upsample_convolution(
                        handle(), struct(in), handle(weight), struct(bias), struct(out)),
                "upsampling convolution");
    }

    /** {@code bias} may be null. */
    public void downsampleConvolution(Tensor in, Weight weight, Tensor bias, Tensor out) {
        check(
                SanaVideoAbi.sv_downsample_convolution(
                        handle(), struct(in), handle(weight), struct(bias), struct(out)),
                "downsampling convolution");
    }

    public void interleaveFrames(Tensor in, Tensor out) {
        check(
                SanaVideoAbi.sv_interleave_frames(handle(), struct(in), struct(out)),
                "interleave frames");
    }

    // space_to_depth.h

    /** {@code skip} may be null. */
    public void spaceToDepth(Tensor in, Tensor skip, Block block, Tensor out) {
        check(
                SanaVideoAbi.sv_space_to_depth(
                        handle(),
                        struct(in),
                        struct(skip),
                        block.frames(),
                        block.height(),
                        block.width(),
                        block.order().ordinal(),
                        struct(out)),
                "space to depth");
    }

    /** {@code skip} may be null. */
    public void depthToSpace(Tensor in, Tensor skip, Block block, Tensor out) {
        check(
                SanaVideoAbi.sv_depth_to_space(
                        handle(),
                        struct(in),
                        struct(skip),
                        block.frames(),
                        block.height(),
                        block.width(),
                        block.order().ordinal(),
                        struct(out)),
                "depth to space");
    }

    // elementwise.h

    public void patchify(Tensor in, int patchFrames, int patchHeight, int patchWidth, Tensor out) {
        check(
                SanaVideoAbi.sv_patchify(
                        handle(), struct(in), patchFrames, patchHeight, patchWidth, struct(out)),
                "patchify");
    }

    public void unpatchify(
            Tensor in, int patchFrames, int patchHeight, int patchWidth, Tensor out) {
        check(
                SanaVideoAbi.sv_unpatchify(
                        handle(), struct(in), patchFrames, patchHeight, patchWidth, struct(out)),
                "unpatchify");
    }

    public void timestepSinusoids(double[] timesteps, Tensor out) {
        check(
                SanaVideoAbi.sv_timestep_sinusoids(
                        handle(), timesteps, timesteps.length, struct(out)),
                "timestep sinusoids");
    }

    public void modulation(Tensor table, Tensor embedding, Tensor out) {
        check(
                SanaVideoAbi.sv_modulation(handle(), struct(table), struct(embedding), struct(out)),
                "modulation");
    }

    public void activate(Tensor in, Activation activation, Tensor out) {
        check(
                SanaVideoAbi.sv_activate(handle(), struct(in), activation.ordinal(), struct(out)),
                "activation");
    }

    public void add(Tensor in, Tensor other, Tensor out) {
        check(SanaVideoAbi.sv_add(handle(), struct(in), struct(other), struct(out)), "add");
    }

    public void convert(Tensor in, Tensor out) {
        check(SanaVideoAbi.sv_convert(handle(), struct(in), struct(out)), "convert");
    }

    /** out = sum of coefficient times input, one to eight terms, all f32. */
    public void combine(float[] factors, Tensor[] inputs, Tensor out) {
        if (factors.length != inputs.length || inputs.length < 1 || inputs.length > MAX_TERMS) {
            throw new IllegalArgumentException(
                    "combine: %d coefficients and %d inputs were given, expected as many of both, 1 to %d"
                            .formatted(factors.length, inputs.length, MAX_TERMS));
        }
        ContextHandle handle = handle();
        coefficients.put(factors);
        for (int i = 0; i < inputs.length; i++) {
            terms.put(i, struct(inputs[i]));
        }
        check(
                SanaVideoAbi.sv_combine(handle, inputs.length, coefficients, terms, struct(out)),
                "combine");
    }

    public void scaleChannels(Tensor in, Tensor scale, Tensor shift, Tensor out) {
        check(
                SanaVideoAbi.sv_scale_channels(
                        handle(), struct(in), struct(scale), struct(shift), struct(out)),
                "scale channels");
    }

    public void toRgb8(Tensor in, Tensor out) {
        check(SanaVideoAbi.sv_to_rgb8(handle(), struct(in), struct(out)), "to RGB");
    }

    public void fromRgb8(Tensor in, Tensor out) {
        check(SanaVideoAbi.sv_from_rgb8(handle(), struct(in), struct(out)), "from RGB");
    }

    public void embedding(Tensor table, int[] ids, float scale, Tensor out) {
        check(
                SanaVideoAbi.sv_embedding(
                        handle(), struct(table), ids, ids.length, scale, struct(out)),
                "embedding");
    }

    public void geglu(Tensor in, Tensor out) {
        check(SanaVideoAbi.sv_geglu(handle(), struct(in), struct(out)), "gated GELU");
    }

    /** Throws a {@link io.sanavideo.NumericsException} when an element is NaN or infinite. */
    public void requireFinite(Tensor in) {
        check(SanaVideoAbi.sv_require_finite(handle(), struct(in)), "finite check");
    }

    // nvfp4.h

    public void nvfp4Quantize(
            Tensor in, float globalScale, boolean fourOverSix, Tensor codes, Tensor scales) {
        check(
                SanaVideoAbi.sv_nvfp4_quantize(
                        handle(),
                        struct(in),
                        globalScale,
                        fourOverSix
                                ? SanaVideoAbi.SV_NVFP4_FOUR_OVER_SIX
                                : SanaVideoAbi.SV_NVFP4_SIX,
                        struct(codes),
                        struct(scales)),
                "NVFP4 quantize");
    }

    public void nvfp4Dequantize(Tensor codes, Tensor scales, float globalScale, Tensor out) {
        check(
                SanaVideoAbi.sv_nvfp4_dequantize(
                        handle(), struct(codes), struct(scales), globalScale, struct(out)),
                "NVFP4 dequantize");
    }

    public void nvfp4TileScales(Tensor scales, Tensor tiles) {
        check(
                SanaVideoAbi.sv_nvfp4_tile_scales(handle(), struct(scales), struct(tiles)),
                "NVFP4 tile scales");
    }

    public void nvfp4UntileScales(Tensor tiles, Tensor scales) {
        check(
                SanaVideoAbi.sv_nvfp4_untile_scales(handle(), struct(tiles), struct(scales)),
                "NVFP4 untile scales");
    }

    public void nvfp4ToSlabs(Tensor codes, Tensor scales, float globalScale, Nvfp4Matrix out) {
        check(
                SanaVideoAbi.sv_nvfp4_to_slabs(
                        handle(), struct(codes), struct(scales), out.struct(globalScale)),
                "NVFP4 to slabs");
    }

    public void nvfp4FromSlabs(Nvfp4Matrix in, Tensor codes, Tensor scales) {
        check(
                SanaVideoAbi.sv_nvfp4_from_slabs(
                        handle(), in.struct(), struct(codes), struct(scales)),
                "NVFP4 from slabs");
    }

    public void nvfp4QuantizeRows(Tensor in, float globalScale, Nvfp4Matrix out) {
        check(
                SanaVideoAbi.sv_nvfp4_quantize_rows(handle(), struct(in), out.struct(globalScale)),
                "NVFP4 quantize rows");
    }

    public void nvfp4LayerNormModulated(
            Tensor in,
            Tensor modulation,
            int shiftRow,
            int scaleRow,
            float epsilon,
            float globalScale,
            Nvfp4Matrix out) {
        check(
                SanaVideoAbi.sv_nvfp4_layer_norm_modulated(
                        handle(),
                        struct(in),
                        struct(modulation),
                        shiftRow,
                        scaleRow,
                        epsilon,
                        out.struct(globalScale)),
                "NVFP4 layer norm");
    }

    public void nvfp4DepthwiseGate(
            Tensor in, Weight weight, Tensor bias, float globalScale, Nvfp4Matrix out) {
        check(
                SanaVideoAbi.sv_nvfp4_depthwise_gate(
                        handle(),
                        struct(in),
                        handle(weight),
                        struct(bias),
                        out.struct(globalScale)),
                "NVFP4 depthwise gate");
    }

    public void nvfp4Linear(Nvfp4Matrix in, Weight weight, Epilogue described, Tensor out) {
        check(
                SanaVideoAbi.sv_nvfp4_linear(
                        handle(), in.struct(), handle(weight), struct(described), struct(out)),
                "NVFP4 linear");
    }

    public void nvfp4TemporalConvolution(
            Nvfp4Matrix in, Tensor identity, Weight weight, Epilogue described, Tensor out) {
        check(
                SanaVideoAbi.sv_nvfp4_temporal_convolution(
                        handle(),
                        in.struct(),
                        struct(identity),
                        handle(weight),
                        struct(described),
                        struct(out)),
                "NVFP4 temporal convolution");
    }

    /**
     * Tries whether the device multiplies NVFP4 as documented, one place of an operand at a time.
     *
     * @return how many were tried; 0 on a CPU
     * @throws io.sanavideo.DeviceException naming the first that is elsewhere
     */
    public long nvfp4Probe() {
        long[] positions = new long[1];
        check(SanaVideoAbi.sv_nvfp4_probe(handle(), positions), "NVFP4 probe");
        return positions[0];
    }
}
