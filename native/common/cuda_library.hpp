// The CUDA backend, in a library of its own so that the CPU runs without it.
#pragma once

#include "common/context.hpp"
#include "sanavideo/device.h"

namespace sv {

// What the library offers: its one exported function, sv_cuda_library, returns this. Each throws
// Error(SV_UNSUPPORTED) with the reason when no device can be used.
struct CudaLibrary {
    int (*device_count)();
    sv_cuda_device (*describe)(int device);
    sv_context* (*create_context)(int device);
    sv_context* (*create_dry_context)(int multiprocessors);
};

// libsanavideo_cuda.so, which lies beside this library, or the file that the environment names in
// SANA_CUDA_LIBRARY. Loaded by the first call; throws Error(SV_UNSUPPORTED) when there is none.
const CudaLibrary& cuda_library();

}  // namespace sv
