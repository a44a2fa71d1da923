/** Rearrangements, conversions and small sums. */
#ifndef SANAVIDEO_ELEMENTWISE_H
#define SANAVIDEO_ELEMENTWISE_H

#include "sanavideo/linear.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Cuts a latent into patches: out[token, ((c * pt + a) * ph + b) * pw + d] =
 * in[t * pt + a, y * ph + b, x * pw + d, c], the column order of the patch embedding's weight
 * [out, channels, pt, ph, pw] flattened.
 *
 * in: f32 [frames, height, width, channels], sizes multiples of the patch; out: [tokens, channels *
 * pt * ph * pw], f32 or bf16, tokens ordered frame, row, column.
 */
SV_API sv_status sv_patchify(sv_context* context, const sv_tensor* in, int patch_frames,
                             int patch_height, int patch_width, const sv_tensor* out);

/**
 * The inverse, for the output projection, whose columns are ordered (a, b, d, channel):
 * out[t * pt + a, y * ph + b, x * pw + d, c] = in[token, ((a * ph + b) * pw + d) * channels + c].
 *
 * in: [tokens, pt * ph * pw * channels], f32 or bf16; out: f32 [frames, height, width, channels].
 */
SV_API sv_status sv_unpatchify(sv_context* context, const sv_tensor* in, int patch_frames,
                               int patch_height, int patch_width, const sv_tensor* out);

/**
 * Sinusoids of timesteps: out[g] = (cos(t_g f_0), ..., cos(t_g f_{half-1}), sin(t_g f_0), ...) with
 * f_j = exp(-ln(10000) j / half), half = channels / 2.
 *
 * timesteps: host memory, count doubles; out: [count, channels], channels even, f32 or bf16.
 */
SV_API sv_status sv_timestep_sinusoids(sv_context* context, const double* timesteps, int64_t count,
                                       const sv_tensor* out);

/**
 * Modulation rows: out[g, j] = table[j] + embedding[g, j], or + embedding[g, 0] when the embedding
 * has one row.
 *
 * table: f32 [rows, channels]; embedding: [groups, rows or 1, channels], f32 or bf16; out: f32
 * [groups, rows, channels].
 */
SV_API sv_status sv_modulation(sv_context* context, const sv_tensor* table,
                               const sv_tensor* embedding, const sv_tensor* out);

/** out = activation(in), element by element; same shape and dtype (f32 or bf16); out may be in. */
SV_API sv_status sv_activate(sv_context* context, const sv_tensor* in, sv_activation activation,
                             const sv_tensor* out);

/** out = in + other, element by element; same shape and dtype (f32 or bf16); out may be either. */
SV_API sv_status sv_add(sv_context* context, const sv_tensor* in, const sv_tensor* other,
                        const sv_tensor* out);

/** out = in in another float type (f32, bf16), rounded to nearest even; same number of elements. */
SV_API sv_status sv_convert(sv_context* context, const sv_tensor* in, const sv_tensor* out);

/**
 * Linear combination in fp32, terms added in order: out = sum_i coefficients[i] * inputs[i].
 *
 * count: 1 to 8; inputs: host array of count addresses of f32 tensors of out's shape; out: f32, may
 * be one of them.
 */
SV_API sv_status sv_combine(sv_context* context, int count, const float* coefficients,
                            const sv_tensor** inputs, const sv_tensor* out);

/** out[.., c] = in[.., c] * scale[c] + shift[c]. in: f32 or bf16; scale, shift: f32 [channels];
 * out: f32 or bf16. */
SV_API sv_status sv_scale_channels(sv_context* context, const sv_tensor* in, const sv_tensor* scale,
                                   const sv_tensor* shift, const sv_tensor* out);

/**
 * Frames for the screen: out = round(clamp(in / 2 + 0.5, 0, 1) * 255), half to even.
 *
 * in: f32 or bf16; out: u8, as many elements.
 */
SV_API sv_status sv_to_rgb8(sv_context* context, const sv_tensor* in, const sv_tensor* out);

/**
 * Colours of a frame from the screen: out = in / 127.5 - 1, which lies in -1 to 1.
 *
 * in: u8; out: f32 or bf16, as many elements, no overlap.
 */
SV_API sv_status sv_from_rgb8(sv_context* context, const sv_tensor* in, const sv_tensor* out);

/**
 * Token embeddings: out[l] = table[ids[l]] * scale.
 *
 * table: [vocabulary, channels], f32 or bf16; ids: host memory, count values in [0, vocabulary);
 * out: [count, channels], table's dtype. In bf16 scale is rounded to bf16 first, as Gemma-2 does.
 */
SV_API sv_status sv_embedding(sv_context* context, const sv_tensor* table, const int32_t* ids,
                              int64_t count, float scale, const sv_tensor* out);

/** Succeeds when every element of in (f32 or bf16) is finite, else fails with SV_NOT_FINITE. */
SV_API sv_status sv_require_finite(sv_context* context, const sv_tensor* in);

/** Gated GELU: out = gelu_tanh(in[:, 0]) * in[:, 1]. in: [rows, 2, hidden]; out: [rows, hidden]. */
SV_API sv_status sv_geglu(sv_context* context, const sv_tensor* in, const sv_tensor* out);

#ifdef __cplusplus
}
#endif
#endif
