/** Dense products with fused epilogues. */
#ifndef SANAVIDEO_LINEAR_H
#define SANAVIDEO_LINEAR_H

#include "sanavideo/weight.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sv_activation {
    SV_NO_ACTIVATION = 0,
    /** x * sigmoid(x) */
    SV_SILU = 1,
    /** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
    SV_GELU_TANH = 2
} sv_activation;

/** Quantised rows: sanavideo/nvfp4.h. */
typedef struct sv_nvfp4_matrix sv_nvfp4_matrix;

/**
 * What is done to a product before it is stored, in fp32 and in this order:
 * y = residual + gate * activation(product + low_rank up^T + bias). Null members are left out.
 *
 * bias: f32 [out]. gate: f32 [groups, rows, out], of which row gate_row is used; the product's rows
 * are divided evenly among the groups, in order (one group a frame, or one for all). residual: the
 * output's shape and dtype; it may be the output itself.
 *
 * square_sums: f32 [rows, summed]: for the RMS norm that follows, of each row the sums of the
 * squares of what was stored. The columns are divided into square_parts equal parts, the first
 * `summed` of which are summed. Of linear layers only.
 *
 * low_rank: [rows, rank], of the output's dtype, and low_rank_up, a linear weight [out, rank] of
 * that dtype: the second half of the correction of an NVFP4 weight, of whose products alone it is
 * part.
 *
 * quantized: receives NVFP4(y) of the fp32 y, beside out. Of products of NVFP4 weights only.
 */
typedef struct sv_epilogue {
    const sv_tensor* bias;
    sv_activation activation;
    const sv_tensor* gate;
    int32_t gate_row;
    const sv_tensor* residual;
    const sv_tensor* square_sums;
    int32_t square_parts;
    const sv_tensor* low_rank;
    const sv_weight* low_rank_up;
    const sv_nvfp4_matrix* quantized;
} sv_epilogue;

/**
 * out[r, n] = epilogue(sum_k in[r, k] * weight[n, k]), fp32 accumulation, rounded once when stored.
 *
 * in: [..., in_features]; out: [..., out_features] with as many rows, same dtype as in; the
 * weight's dtype is in's, or it is an NVFP4 weight. out must not overlap in. epilogue may be null.
 */
SV_API sv_status sv_linear(sv_context* context, const sv_tensor* in, const sv_weight* weight,
                           const sv_epilogue* epilogue, const sv_tensor* out);

/**
 * out = epilogue(product): what sv_linear and sv_convolution do to their own products, for one that
 * was computed elsewhere, such as by a library that cannot fuse it. fp32 arithmetic, rounded once.
 *
 * product: [..., features], f32 or bf16; out: product's shape and dtype; it may be the product
 * itself, or the residual. epilogue may be null.
 */
SV_API sv_status sv_finish_product(sv_context* context, const sv_tensor* product,
                                   const sv_epilogue* epilogue, const sv_tensor* out);

#ifdef __cplusplus
}
#endif
#endif
