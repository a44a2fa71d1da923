// Takes the place of native/common/cuda_library.cpp: the emulated backend is in this program.
#include "common/cuda_library.hpp"

extern "C" sv_context* sv_cuda_context_create(int device);

namespace sv {

sv_context* create_cuda_context(int device) { return sv_cuda_context_create(device); }

}  // namespace sv
