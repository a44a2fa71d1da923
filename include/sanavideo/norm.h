/** Normalisations. Statistics are fp32 (or better), outputs are rounded once. */
#ifndef SANAVIDEO_NORM_H
#define SANAVIDEO_NORM_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Layer norm without weights, then modulation (SANA-Video's AdaLN-single):
 * out = (in - mean) / sqrt(variance + epsilon) * (1 + scale) + shift, over the last dimension.
 *
 * in, out: [..., channels], f32 or bf16, same dtype; out may be in. modulation: f32
 * [groups, rows, channels]; shift and scale are its rows shift_row and scale_row; in's rows are
 * divided evenly among the groups, in order.
 */
SV_API sv_status sv_layer_norm_modulated(sv_context* context, const sv_tensor* in,
                                         const sv_tensor* modulation, int shift_row, int scale_row,
                                         float epsilon, const sv_tensor* out);

/**
 * RMS norm over the last dimension of one part:
 * y = in / sqrt(mean(in^2) + epsilon) * (weight_offset + weight); out = residual + y.
 *
 * in: [rows, parts, channels] (or [rows, channels]: one part); only part `part` is read. out:
 * [rows, parts, channels] (that part is written; may be in) or [rows, channels]. weight: f32
 * [channels]. weight_offset is 1 for Gemma, else 0. residual: null, or [rows, channels] of in's
 * dtype; it may be out.
 */
SV_API sv_status sv_rms_norm(sv_context* context, const sv_tensor* in, int part,
                             const sv_tensor* weight, float weight_offset, float epsilon,
                             const sv_tensor* residual, const sv_tensor* out);

/**
 * Sums of squares of rows, in fp32: out[r, p] = sum_c in[r, p, c]^2 for p < summed_parts.
 *
 * in: [rows, parts, channels]; out: f32 [rows, summed_parts], summed_parts <= parts.
 */
SV_API sv_status sv_row_square_sums(sv_context* context, const sv_tensor* in, const sv_tensor* out);

/**
 * The Wan VAE's norm, with the SiLU that follows it when silu is 1:
 * y = in / max(||in||_2, 1e-12) * sqrt(channels) * gamma over the last dimension.
 *
 * in, out: [..., channels], f32 or bf16; out may be in. gamma: f32 [channels].
 */
SV_API sv_status sv_channel_norm(sv_context* context, const sv_tensor* in, const sv_tensor* gamma,
                                 int silu, const sv_tensor* out);

/**
 * Pixel norm, an RMS norm without weights, with the SiLU that follows it in the LTX-2 VAE when silu
 * is 1: y = in / sqrt(mean(in^2) + epsilon) over the last dimension.
 *
 * in, out: [..., channels], f32 or bf16; out may be in. epsilon is 1e-8 there.
 */
SV_API sv_status sv_pixel_norm(sv_context* context, const sv_tensor* in, float epsilon, int silu,
                               const sv_tensor* out);

#ifdef __cplusplus
}
#endif
#endif
