/**
 * Pixels of small blocks to channels of one pixel and back, with the residuals of the LTX-2 VAE's
 * downsampler and upsampler: one pass over memory.
 */
#ifndef SANAVIDEO_SPACE_TO_DEPTH_H
#define SANAVIDEO_SPACE_TO_DEPTH_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Pixels of a block at most. */
#define SV_MAX_BLOCK 64

/** Which place of a block a channel is of, slowest first. */
typedef enum {
    /** (i * block_height + j) * block_width + k */
    SV_FRAME_ROW_COLUMN = 0,
    /** (i * block_width + k) * block_height + j: patches of the LTX-2 VAE's pixels */
    SV_FRAME_COLUMN_ROW = 1
} sv_block_order;

/**
 * Blocks of block_frames x block_height x block_width pixels to one pixel each. Let S(x) be the
 * rearrangement, with place = place of (i, j, k) in the order and size = the product of the three:
 * S(x)[t, y, x, c * size + place] = x[t * block_frames + i, y * block_height + j, x * block_width +
 * k, c]. Then out[.., o] = S(in)[.., o] + mean of S(skip)[.., o * group] to [.., o * group + group
 * - 1], group = channels of skip / channels of in; the sum is fp32, its terms added in order.
 *
 * in: [frames, height, width, channels], f32 or bf16, sizes multiples of the block; skip: null (no
 * residual), or of in's dtype and sizes, with a multiple of its channels; out: [frames /
 * block_frames, height / block_height, width / block_width, channels * size], in's dtype, no
 * overlap with the others.
 */
SV_API sv_status sv_space_to_depth(sv_context* context, const sv_tensor* in, const sv_tensor* skip,
                                   int block_frames, int block_height, int block_width,
                                   sv_block_order order, const sv_tensor* out);

/**
 * The inverse rearrangement D of S, D(S(x)) = x: out[.., c] = D(in)[.., c] + D(skip)[.., c modulo
 * the channels of D(skip)].
 *
 * in: [frames, height, width, channels * size], f32 or bf16; skip: null (no residual), or of in's
 * dtype and sizes, whose channels are a multiple of size and divide in's; out: [frames *
 * block_frames, height * block_height, width * block_width, channels], in's dtype, no overlap with
 * the others.
 */
SV_API sv_status sv_depth_to_space(sv_context* context, const sv_tensor* in, const sv_tensor* skip,
                                   int block_frames, int block_height, int block_width,
                                   sv_block_order order, const sv_tensor* out);

#ifdef __cplusplus
}
#endif
#endif
