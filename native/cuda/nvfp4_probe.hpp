// Whether this device multiplies NVFP4 as products expect it.
#pragma once

#include "cuda/context.hpp"

namespace sv::cuda {

// Probes once a context, at its first product of NVFP4 operands (not while work is recorded: what
// is recorded has run before). Throws Error(SV_UNSUPPORTED), each time, where sv_nvfp4_probe does.
void require_nvfp4_products(Context& context);

}  // namespace sv::cuda
