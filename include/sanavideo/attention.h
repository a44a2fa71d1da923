/** Linear attention with its running state, and softmax attentions. */
#ifndef SANAVIDEO_ATTENTION_H
#define SANAVIDEO_ATTENTION_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Rotation angles of a token grid: out[n, i] = (cos, sin) of position * theta^(-2j/d) for pair i,
 * where the head's pairs are shared out among frame, row and column: rows and columns get 2 *
 * (head_size / 6) channels each, frames the rest, in the order frame, row, column; d is the axis's
 * channels and j the pair's index within it. Computed in double precision. Source: the Wan rotary
 * embedding as SANA-Video uses it (diffusers, WanRotaryPosEmbed).
 *
 * out: f32 [frames * height * width, head_size / 2, 2], tokens ordered frame, row, column.
 * first_frame: the absolute position of the grid's first frame. head_size: even, at least 6.
 */
SV_API sv_status sv_rope_angles(sv_context* context, int64_t first_frame, int64_t frames,
                                int64_t height, int64_t width, double theta, const sv_tensor* out);

/**
 * Linear attention with a ReLU feature map (SANA-Video, section "linear attention with RoPE"):
 *
 *   q' = relu(rms(q) * q_weight), k' = relu(rms(k) * k_weight)   rms over all heads together
 *   S  = state_in.values + sum_n v_n rope(k'_n)^T,  z = state_in.keys + sum_n k'_n   per head
 *   out_n = (S rope(q'_n)) / (z . q'_n + epsilon)
 *
 * with rms(x) = x / sqrt(square_sum / width + norm_epsilon). S and z are fp32, summed in an order
 * that depends on the shapes alone.
 *
 * qkv: [batch, tokens, 3, heads, head_size], f32 or bf16. square_sums: f32 [batch, tokens, 2] of q
 * and k (sv_row_square_sums). q_weight, k_weight: f32 [heads * head_size]. angles: f32 [tokens,
 * head_size / 2, 2]; pairs are neighbours (2i, 2i+1). out: [batch, tokens, heads * head_size],
 * qkv's dtype. State (each null or given): values f32 [batch, heads, head_size, head_size] (row:
 * value channel, column: key channel), keys f32 [batch, heads, head_size]. The outgoing state is S
 * and z; it may be the incoming state's memory.
 */
SV_API sv_status sv_linear_attention(sv_context* context, const sv_tensor* qkv,
                                     const sv_tensor* square_sums, const sv_tensor* q_weight,
                                     const sv_tensor* k_weight, float norm_epsilon,
                                     const sv_tensor* angles, float epsilon,
                                     const sv_tensor* state_in_values,
                                     const sv_tensor* state_in_keys,
                                     const sv_tensor* state_out_values,
                                     const sv_tensor* state_out_keys, const sv_tensor* out);

/**
 * Softmax attention of video tokens over text tokens:
 * out_n = sum_l softmax_l(rms(q_n) * q_weight . k_l / sqrt(head_size)) v_l per head.
 *
 * q: [tokens, heads, head_size] as its projection leaves it; square_sums: f32 [tokens, 1];
 * q_weight: f32 [heads * head_size]. kv: [keys, 2, heads, head_size], keys already normalised, only
 * valid keys, at least one. out: [tokens, heads * head_size]. f32 or bf16, all the same; softmax in
 * fp32.
 */
SV_API sv_status sv_cross_attention(sv_context* context, const sv_tensor* q,
                                    const sv_tensor* square_sums, const sv_tensor* q_weight,
                                    float norm_epsilon, const sv_tensor* kv, const sv_tensor* out);

/**
 * Single-head softmax attention inside each frame (the Wan VAE's middle block), scale
 * 1/sqrt(channels).
 *
 * qkv: [frames, pixels, 3, channels]; out: [frames, pixels, channels]; f32 or bf16.
 */
SV_API sv_status sv_frame_attention(sv_context* context, const sv_tensor* qkv,
                                    const sv_tensor* out);

/**
 * Causal attention of a Gemma-2 layer: rotary halves on q and k, grouped heads, soft-capped logits
 * cap * tanh(scale * q.k / cap), mask key <= query and query - key < window, softmax in fp32.
 *
 * qkv: [tokens, (heads + 2 * key_heads) * head_size], query heads first, then keys, then values;
 * out: [tokens, heads * head_size]; f32 or bf16. Rotation: channel i of the first half with i of
 * the second, angle position * f_i, positions from 0, f_i = theta^(-2i/head_size) rounded to bf16:
 * the references cast the encoder to bf16 as a whole, its table of frequencies with it. cap: 0 for
 * none. window: 0 for none.
 */
SV_API sv_status sv_text_attention(sv_context* context, const sv_tensor* qkv, int heads,
                                   int key_heads, double theta, float scale, float cap,
                                   int64_t window, const sv_tensor* out);

#ifdef __cplusplus
}
#endif
#endif
