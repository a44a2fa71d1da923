// Takes the place of native/common/cuda_library.cpp: the emulated backend is in this program.
#include "common/cuda_library.hpp"

extern "C" const sv::CudaLibrary* sv_cuda_library();

namespace sv {

const CudaLibrary& cuda_library() { return *sv_cuda_library(); }

}  // namespace sv
