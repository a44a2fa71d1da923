/** Convolutions of the transformer's feed-forward and of the VAE. All are channels-last. */
#ifndef SANAVIDEO_CONVOLUTION_H
#define SANAVIDEO_CONVOLUTION_H

#include "sanavideo/linear.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Depthwise 3x3 convolution (zero padding 1, per frame) and gate:
 * b = convolution(in) + bias; out = b[first half] * silu(b[second half]).
 *
 * in: [frames, height, width, 2 * hidden]; weight: SV_WEIGHT_DEPTHWISE of 2 * hidden channels;
 * bias: f32 [2 * hidden]; out: [frames, height, width, hidden]; f32 or bf16, all the same.
 */
SV_API sv_status sv_depthwise_gate(sv_context* context, const sv_tensor* in,
                                   const sv_weight* weight, const sv_tensor* bias,
                                   const sv_tensor* out);

/**
 * Dense convolution over three frames with the identity, gated into the residual:
 * y_t = in_t + W0 in_{t-1} + W1 in_t + W2 in_{t+1}; out = residual + gate * y (epilogue; its bias
 * and activation must be absent).
 *
 * in: [batch, frames, pixels, channels]; previous: null (zeros) or [batch, pixels, channels], what
 * stands left of the first frame; right of the last frame is zero. weight: SV_WEIGHT_TEMPORAL. out:
 * in's shape and dtype, no overlap with in. The gate's groups divide batch * frames * pixels rows.
 */
SV_API sv_status sv_temporal_convolution(sv_context* context, const sv_tensor* in,
                                         const sv_tensor* previous, const sv_weight* weight,
                                         const sv_epilogue* epilogue, const sv_tensor* out);

/** What a convolution reads outside of a frame. */
typedef enum {
    SV_PADDING_ZEROS = 0,
    /** The frame mirrored about its outermost pixels: row -1 is row 1. */
    SV_PADDING_REFLECT = 1
} sv_padding;

/**
 * Convolution with stride 1: padding of (size - 1) / 2 in height and width, none in time, where in
 * carries its own context: in: [frames + kernel_frames - 1, height, width, in_channels]; weight:
 * SV_WEIGHT_CONVOLUTION; out: [frames, height, width, out_channels]. The epilogue may hold bias and
 * residual. With SV_PADDING_REFLECT height and width must be larger than their padding.
 */
SV_API sv_status sv_convolution(sv_context* context, const sv_tensor* in, const sv_weight* weight,
                                sv_padding padding, const sv_epilogue* epilogue,
                                const sv_tensor* out);

/**
 * Nearest-neighbour doubling of height and width, then a 3x3 convolution with zero padding 1.
 *
 * in: [frames, height, width, in_channels]; weight: SV_WEIGHT_UPSAMPLE; bias: f32 [out_channels] or
 * null; out: [frames, 2 * height, 2 * width, out_channels].
 */
SV_API sv_status sv_upsample_convolution(sv_context* context, const sv_tensor* in,
                                         const sv_weight* weight, const sv_tensor* bias,
                                         const sv_tensor* out);

/**
 * 3x3 convolution of stride 2 over frames that are padded with zeros by one row below and one
 * column on the right: out[t, y, x] = bias + sum_{b, d} W[b, d] in[t, 2y + b, 2x + d].
 *
 * in: [frames, height, width, in_channels], at least 2 rows and columns; weight:
 * SV_WEIGHT_CONVOLUTION of one kernel frame, 3 x 3; bias: f32 [out_channels] or null; out: [frames,
 * height / 2, width / 2, out_channels], halves rounded down, no overlap with in.
 */
SV_API sv_status sv_downsample_convolution(sv_context* context, const sv_tensor* in,
                                           const sv_weight* weight, const sv_tensor* bias,
                                           const sv_tensor* out);

/**
 * Doubles frames: out[2t] is the first half of in's channels at t, out[2t + 1] the second.
 *
 * in: [frames, pixels, 2 * channels]; out: [2 * frames, pixels, channels]; no overlap.
 */
SV_API sv_status sv_interleave_frames(sv_context* context, const sv_tensor* in,
                                      const sv_tensor* out);

#ifdef __cplusplus
}
#endif
#endif
