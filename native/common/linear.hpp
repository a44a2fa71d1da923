// Checks of what products share: their epilogue.
#pragma once

#include "common/tensor.hpp"
#include "sanavideo/linear.h"

namespace sv {

// The epilogue (an empty one for null) of a dense weight's product, checked against its output.
sv_epilogue require_epilogue(const sv_epilogue* epilogue, const sv_tensor& out);

// The epilogue of a product with this weight: an NVFP4 weight's has members of its own.
sv_epilogue require_epilogue(const sv_epilogue* epilogue, const sv_weight& weight,
                             const sv_tensor& out);

// Fails unless a temporal convolution's epilogue holds what it may.
void require_temporal_epilogue(const sv_epilogue& epilogue);

// A weight of this kind and dtype.
const sv_weight& require_weight(const sv_weight* weight, sv_weight_kind kind, sv_dtype dtype);

// One of this kind that inputs of the dtype are multiplied by: of the dtype, or NVFP4.
const sv_weight& require_product_weight(const sv_weight* weight, sv_weight_kind kind,
                                        sv_dtype dtype);

// Rows and features of a linear layer's output.
void require_linear_out(const sv_tensor* out, int64_t rows, const sv_weight& weight);

}  // namespace sv
