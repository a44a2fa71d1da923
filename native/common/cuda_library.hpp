// The CUDA backend, in a library of its own so that the CPU runs without it.
#pragma once

#include "common/context.hpp"

namespace sv {

// A context of libsanavideo_cuda.so, which lies beside this library and is loaded by the first
// call. Throws Error(SV_UNSUPPORTED) with the reason when there is none, or nothing that it could
// run on.
sv_context* create_cuda_context(int device);

}  // namespace sv
