/**
 * NVFP4: numbers of four bits with two scales.
 *
 * x ~= code * scale * global_scale. A code is E2M1: a sign and one of 0, 0.5, 1, 1.5, 2, 3, 4, 6
 * (bit 3 and bits 2 to 0). A scale is UE4M3 (an e4m3 byte without its sign, at most 448, 0x7f is no
 * number) and belongs to 16 neighbours in a row; the global scale is f32 and belongs to the tensor.
 * 4.5 bits a number. Sources: NVIDIA's PTX ISA (cvt .e2m1x2, mma kind::mxf4nvf4) for the codes and
 * their rounding; J. Cook et al., "Four Over Six" (arXiv 2512.02010) for the choice of the scale.
 *
 * Two layouts. As files hold them, row by row: codes u8 [rows, padded / 2], of a byte's two the
 * even element in the low four bits; scales u8 [rows, padded / 16]; padded is the row's length
 * rounded up to a multiple of 64, and what was added is zero. As products read them, in slabs of 64
 * columns, which is what one instruction multiplies: sv_nvfp4_matrix.
 */
#ifndef SANAVIDEO_NVFP4_H
#define SANAVIDEO_NVFP4_H

#include "sanavideo/linear.h"

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

/**
 * Rows that a product multiplies, slab by slab: what lies in a slab are the 64 columns of all rows,
 * one row after the other, so that any window of rows is one piece of each slab.
 *
 * codes: u8 [slabs, slab_rows, 32], at a multiple of 16 bytes; scales: u8 [slabs, slab_rows, 4], at
 * a multiple of 4 bytes; slabs: columns / 64, rounded up, what is added being zero. Rows are the
 * first `rows` of slab_rows: a window that begins at row r is the same with codes + 32 r, scales +
 * 4 r and fewer rows.
 */
typedef struct sv_nvfp4_matrix {
    void* codes;
    void* scales;
    int64_t rows;
    int64_t columns;
    int64_t slab_rows;
    float global_scale;
} sv_nvfp4_matrix;

/** From rows to slabs. codes and scales: as sv_nvfp4_quantize makes them. */
SV_API sv_status sv_nvfp4_to_slabs(sv_context* context, const sv_tensor* codes,
                                   const sv_tensor* scales, const sv_nvfp4_matrix* out);

/** The reverse of sv_nvfp4_to_slabs. */
SV_API sv_status sv_nvfp4_from_slabs(sv_context* context, const sv_nvfp4_matrix* in,
                                     const sv_tensor* codes, const sv_tensor* scales);

/**
 * Quantises rows into slabs, as sv_nvfp4_quantize does with SV_NVFP4_SIX.
 *
 * in: [..., columns], f32 or bf16, of as many rows as out.
 */
SV_API sv_status sv_nvfp4_quantize_rows(sv_context* context, const sv_tensor* in,
                                        const sv_nvfp4_matrix* out);

/** sv_layer_norm_modulated, whose fp32 result is quantised. */
SV_API sv_status sv_nvfp4_layer_norm_modulated(sv_context* context, const sv_tensor* in,
                                               const sv_tensor* modulation, int shift_row,
                                               int scale_row, float epsilon,
                                               const sv_nvfp4_matrix* out);

/** sv_depthwise_gate, whose fp32 result is quantised; its rows are the pixels of all frames. */
SV_API sv_status sv_nvfp4_depthwise_gate(sv_context* context, const sv_tensor* in,
                                         const sv_weight* weight, const sv_tensor* bias,
                                         const sv_nvfp4_matrix* out);

/**
 * Allocates a weight of kind SV_WEIGHT_LINEAR or SV_WEIGHT_TEMPORAL that stays NVFP4 in memory: 4.5
 * bits an element. sv_linear and sv_temporal_convolution take it like any other, and multiply what
 * it stands for by inputs of f32 or bf16; sv_nvfp4_linear and sv_nvfp4_temporal_convolution
 * multiply it by quantised inputs. The input channels, shape[1], must be a multiple of 16.
 */
SV_API sv_status sv_nvfp4_weight_create(sv_context* context, sv_weight_kind kind, int rank,
                                        const int64_t* shape, sv_weight** out);

/**
 * Packs `rows` whole rows that start at first_row, from host memory: codes [rows, taps, in / 2] and
 * scales [rows, taps, in / 16], row by row, taps before channels, an even element in the low four
 * bits. global_scale is that of these rows. Fails with SV_NOT_FINITE, naming its index, when a
 * scale is no number or is negative.
 */
SV_API sv_status sv_nvfp4_weight_pack(sv_context* context, sv_weight* weight, int64_t first_row,
                                      int64_t rows, const void* codes, const void* scales,
                                      float global_scale);

/**
 * out[r, n] = epilogue(sum_k in[r, k] * weight[n, k]) of what the codes stand for. Codes times
 * block scales are multiplied and summed in fp32 (a card that multiplies NVFP4 adds the 64 products
 * of an instruction in an order and precision that are not documented), and the global scales of
 * both come last.
 *
 * in: [rows, in_features]; weight: of sv_nvfp4_weight_create; out: [..., out_features], f32 or
 * bf16, of as many rows. epilogue may be null.
 */
SV_API sv_status sv_nvfp4_linear(sv_context* context, const sv_nvfp4_matrix* in,
                                 const sv_weight* weight, const sv_epilogue* epilogue,
                                 const sv_tensor* out);

/**
 * sv_temporal_convolution of quantised frames, with zeros before the first: `in` is read at each
 * position and at those of the frames before and after. What is added to the product as the
 * identity is `identity`, which the convolution reads as it is.
 *
 * in: [batch * frames * pixels, channels]; identity and out: [batch, frames, pixels, channels], f32
 * or bf16. The epilogue holds gate, residual and quantized alone; null is allowed.
 */
SV_API sv_status sv_nvfp4_temporal_convolution(sv_context* context, const sv_nvfp4_matrix* in,
                                               const sv_tensor* identity, const sv_weight* weight,
                                               const sv_epilogue* epilogue, const sv_tensor* out);

/**
 * Tries whether the device multiplies NVFP4 as products expect it: every place of an element and of
 * a scale in the operands of its instruction, one at a time. Cards without the instruction try what
 * stands in for it; a CPU has neither. A context does it by itself before its first product of two
 * NVFP4 operands.
 *
 * positions: how many were tried; 0 on a CPU. Fails with SV_UNSUPPORTED where one is not where it
 * is documented to be, naming the first; the two products fail in the same way then.
 */
SV_API sv_status sv_nvfp4_probe(sv_context* context, int64_t* positions);

#ifdef __cplusplus
}
#endif
#endif
