/** Weights in the layout that a backend's kernels want. */
#ifndef SANAVIDEO_WEIGHT_H
#define SANAVIDEO_WEIGHT_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a weight is used for; it decides the packed layout. */
typedef enum sv_weight_kind {
    /** [out, in]: sv_linear. 1x1 convolutions and patch embeddings are of this kind too. */
    SV_WEIGHT_LINEAR = 0,
    /** [out, in, 3]: sv_temporal_convolution. */
    SV_WEIGHT_TEMPORAL = 1,
    /** [out, in, frames, height, width] with odd sizes: sv_convolution,
     * sv_downsample_convolution. */
    SV_WEIGHT_CONVOLUTION = 2,
    /** [out, in, 3, 3]: sv_upsample_convolution. */
    SV_WEIGHT_UPSAMPLE = 3,
    /** [channels, 1, 3, 3]: sv_depthwise_gate. */
    SV_WEIGHT_DEPTHWISE = 4
} sv_weight_kind;

/** A packed weight: owns whatever layout its backend wants. */
typedef struct sv_weight sv_weight;

/**
 * Allocates a packed weight with the file's shape (rank and shape of `kind` above), stored and
 * multiplied as dtype (SV_F32 or SV_BF16). Its content is undefined until every row was packed.
 */
SV_API sv_status sv_weight_create(sv_context* context, sv_weight_kind kind, sv_dtype dtype,
                                  int rank, const int64_t* shape, sv_weight** out);

/**
 * Packs `rows` whole rows (slices along the first dimension) that start at first_row. data: host
 * memory of rows * (product of the other dimensions) elements of data_dtype (SV_F32, SV_F16 or
 * SV_BF16), no alignment needed. Values that dtype cannot hold are rounded to nearest even. Fails
 * with SV_NOT_FINITE when an element is NaN or infinite, naming its index in the weight.
 */
SV_API sv_status sv_weight_pack(sv_context* context, sv_weight* weight, int64_t first_row,
                                int64_t rows, const void* data, sv_dtype data_dtype);

/** Bytes that the weight holds on the device. */
SV_API sv_status sv_weight_bytes(const sv_weight* weight, int64_t* out);

/**
 * Where a card holds a linear or convolution weight, for libraries that multiply by it: rows of one
 * output channel each, [out, taps, padded_depth], of the weight's dtype; the taps are frames, rows
 * and columns of the kernel in this order, and a tap's input channels are padded with zeros to
 * padded_depth, a multiple of 16 bytes. Fails with SV_UNSUPPORTED for a weight of another kind or
 * of NVFP4, and on the CPU, whose layouts are its own.
 */
SV_API sv_status sv_weight_matrix(const sv_weight* weight, void** data, int64_t* padded_depth);

/** Frees a weight. Null is allowed. */
SV_API void sv_weight_destroy(sv_context* context, sv_weight* weight);

#ifdef __cplusplus
}
#endif
#endif
