/**
 * NVFP4: numbers of four bits with two scales.
 *
 * x ~= code * scale * global_scale. A code is E2M1: a sign and one of 0, 0.5, 1, 1.5, 2, 3, 4, 6
 * (bit 3 and bits 2 to 0). A scale is UE4M3 (an e4m3 byte without its sign, at most 448, 0x7f is no
 * number) and belongs to 16 neighbours in a row; the global scale is f32 and belongs to the tensor.
 * 4.5 bits a number. Sources: NVIDIA's PTX ISA (cvt .e2m1x2, mma kind::mxf4nvf4) for the codes and
 * their rounding; J. Cook et al., "Four Over Six" (arXiv 2512.02010) for the choice of the scale.
 *
 * In memory: codes u8 [rows, padded / 2], of a byte's two the even element in the low four bits;
 * scales u8 [rows, padded / 16]; padded is the row's length rounded up to a multiple of 64, and
 * what was added is zero.
 */
#ifndef SANAVIDEO_NVFP4_H
#define SANAVIDEO_NVFP4_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a block's scale is chosen. */
typedef enum sv_nvfp4_scaling {
    /** The largest magnitude becomes 6. */
    SV_NVFP4_SIX = 0,
    /**
     * The largest magnitude becomes 6, or 4 where that makes the block's squared error smaller:
     * between 4 and 6 there is no code.
     */
    SV_NVFP4_FOUR_OVER_SIX = 1
} sv_nvfp4_scaling;

/**
 * Quantises rows. Of a block with the largest magnitude a: scale = UE4M3(a / (6 * global_scale)),
 * code = E2M1(x / (scale * global_scale)), both rounded to nearest even and saturated; of a block
 * whose scale is 0 every code is a zero of x's sign. All arithmetic is IEEE fp32 without
 * contraction, the squared errors are added from the first element to the last: every device makes
 * the same bytes. Elements must be finite.
 *
 * in: [..., length], f32 or bf16; codes and scales as above, of as many rows; global_scale: above
 * 0; a tensor's largest magnitude / 2688 (6 * 448) uses all of the range, / 1536 (6 * 256) leaves
 * the scale of four over six its room.
 */
SV_API sv_status sv_nvfp4_quantize(sv_context* context, const sv_tensor* in, float global_scale,
                                   sv_nvfp4_scaling scaling, const sv_tensor* codes,
                                   const sv_tensor* scales);

/**
 * out = code * (scale * global_scale), in fp32, rounded once when stored.
 *
 * out: [..., length], f32 or bf16, of as many rows as codes and scales.
 */
SV_API sv_status sv_nvfp4_dequantize(sv_context* context, const sv_tensor* codes,
                                     const sv_tensor* scales, float global_scale,
                                     const sv_tensor* out);

/**
 * Scales in the layout of 128x4 tiles that libraries and checkpoints call swizzled: of rows and
 * scales rounded up to whole tiles, which lie row by row; a tile's byte for row r and scale c is 16
 * * (r % 32) + 4 * (r / 32) + c. What was added is zero.
 *
 * scales: u8 [rows, count]; tiles: u8 [ceil(rows / 128), ceil(count / 4), 32, 4, 4].
 */
SV_API sv_status sv_nvfp4_tile_scales(sv_context* context, const sv_tensor* scales,
                                      const sv_tensor* tiles);

/** The reverse of sv_nvfp4_tile_scales. */
SV_API sv_status sv_nvfp4_untile_scales(sv_context* context, const sv_tensor* tiles,
                                        const sv_tensor* scales);

#ifdef __cplusplus
}
#endif
#endif
