// Checks of what products share: their epilogue.
#pragma once

#include "common/tensor.hpp"
#include "sanavideo/linear.h"

namespace sv {

// The epilogue (an empty one for null), checked against the product's output.
sv_epilogue require_epilogue(const sv_epilogue* epilogue, const sv_tensor& out);

// A weight of this kind and dtype.
const sv_weight& require_weight(const sv_weight* weight, sv_weight_kind kind, sv_dtype dtype);

}  // namespace sv
